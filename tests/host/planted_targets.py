"""Targets with a planted bug each, for the test that the fuzzer finds one. Not a test file.

`planted_sound` is the true reader under the same oracle, which the fuzzer has to leave standing.
"""

from fuzz.conversations import Line, steps
from fuzz.finding import claim
from uptane import cbor
from uptane.errors import FrameLost, Refusal
from uptane.limits import DEPTH_MAX
from uptane.link.isotp import Channel


class Lenient(cbor._Reader):
    """Takes a number in a form that is longer than it need be."""

    def _read_argument(self, info):
        if info < 24:
            return info
        return int.from_bytes(self._take(1 << (info & 3)), "big")


class Hasty(Channel):
    """Believes that a consecutive frame has as many bytes as are missing."""

    def _feed_consecutive(self, data, now_ms):
        left = self._need - self._have
        if left <= 0:
            return
        if data[0] & 0x0F != self._next_in:
            raise FrameLost
        take = min(left, 7)
        self._buffer[self._have : self._have + take] = data[1 : 1 + take]
        self._have += take


def sound(raw):
    claim(cbor.dumps(cbor.loads(raw)) == raw, "written again as the same bytes")


def lenient(raw):
    value = Lenient(raw).read_item(DEPTH_MAX)
    claim(raw.startswith(cbor.dumps(value)), "written again as the same bytes")


def hasty(raw):
    line = Line()
    line.channel = Hasty(256)
    for kind, data in steps(raw):
        line.step(kind, data)


TARGETS = {"planted_sound": sound, "planted_lenient": lenient, "planted_hasty": hasty}


def outcome(name, raw):
    try:
        return TARGETS[name](raw)
    except Refusal as refusal:
        return refusal.number
