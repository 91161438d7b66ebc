"""Frames to messages and back; no bus, no clock."""
