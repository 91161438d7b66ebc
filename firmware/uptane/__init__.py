"""The Uptane client that runs on an ECU; `uptane.main` starts it."""
