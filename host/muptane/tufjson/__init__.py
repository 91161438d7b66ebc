"""The JSON dialect of TUF 1.0 for the device's decisions: codec, names, policy record, and I/O.

text, names, codec, holders, delegation, dialect, repository, session and player run on CPython
and on MicroPython; player carries out orders, there at the end of a pipe. The rest does the I/O
and runs on CPython only.
"""
