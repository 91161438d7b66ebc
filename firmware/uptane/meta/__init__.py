"""The decisions: bytes and a time in; new state, a file wanted, or a refusal out.

Nothing here reads a clock, a bus or a flash: the caller hands all of them in and carries out what
the generators yield. Nothing is kept between cycles except by the records that a Commit stores.
"""
