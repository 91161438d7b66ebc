"""Unified Diagnostic Services (ISO 14229-1): server, services, client."""
