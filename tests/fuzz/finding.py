"""What a fuzzed parser may do: return, or refuse with a number. All else is a finding."""


class Finding(Exception):
    """A promise that was broken without an exception; the text says which."""


def claim(held, promise):
    """Claim what an oracle knows to be true of the input at hand."""
    if not held:
        raise Finding(promise)
