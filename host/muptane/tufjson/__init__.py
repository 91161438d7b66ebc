"""The JSON dialect of TUF 1.0 for the device's decisions: codec, names, policy record, and I/O.

text, names, codec, delegation, dialect, repository and session run on CPython and on MicroPython;
player is the latter's end of a pipe. The rest does the I/O and runs on CPython only.
"""
