"""The target that reads which regions an image replaces: bytes in, nothing or a refusal out."""

from fuzz.finding import claim
from uptane import cbor
from uptane.errors import BadShape
from uptane.image.scope import parts_of
from uptane.limits import REGION_ALIGN


def regions(raw):
    """What an entry says of regions, as the value of its must-match data; the image is as long as
    the parts together, where they have a length."""
    value = cbor.loads(raw)
    if value is None:
        return
    parts = parts_of(value, _total(value))
    claim(cbor.dumps([list(part) for part in parts]) == raw, "written again as the same bytes")
    claim(not any([n % REGION_ALIGN for _, n in parts[:-1]]), "a part begins where one may")
    try:
        parts_of(value, _total(value) + 1)
    except BadShape:
        return
    claim(False, "parts of the whole image, and of nothing else")


def _total(value):
    """The lengths of these parts, as far as they are some."""
    pairs = value if type(value) is list else []
    pairs = [pair for pair in pairs if type(pair) is list and len(pair) == 2]
    return sum([n for _, n in pairs if type(n) is int and 0 < n < 1 << 32])
