"""Backups of an office: made, compared with what stands, and put back."""
