"""Delegations as they stand in a Targets file: ranges of image numbers, and who speaks for them.

They come by priority. A delegation covers images by number and, if it says so, by hardware; it
hands them to one role, or to several of which some have to agree. Like entries, delegations are
held against the grammar when a file is opened, forgotten, and decoded again one at a time. This
module does NOT fetch, verify or search: `resolver` does. It is the codec that devices give to the
files of a repository whose delegations are searched.
Rules: V-15, V-16, V-17, T-20, T-25, T-26, T-27, E-38, E-42, E-45, E-56.
"""

# mypy: implicit-reexport
from uptane import cbor
from uptane.cose import context, read_sign, sign_parts, write_sign  # noqa: F401
from uptane.errors import BadShape, BadThreshold
from uptane.ids import (
    DELEGATED_FIRST,
    DELEGATED_LAST,
    DELEGATION_AGREEMENT,
    DELEGATION_HARDWARE,
    DELEGATION_RANGES,
    DELEGATION_ROLES,
    DELEGATION_TERMINATING,
)
from uptane.limits import DELEGATED_ROLES_MAX, DELEGATIONS_MAX, RANGES_MAX
from uptane.meta.roles import (  # noqa: F401
    Head,
    Root,
    Snapshot,
    Timestamp,
    read_keyholders,
    read_keys,
)
from uptane.meta.shape import NUMBER_MAX, Fields, read_list, read_number, read_numbers
from uptane.meta.targets import ARRAY, Entry, Targets, open_items

if False:  # for the type checker
    from errand import Keyholders
    from uptane.crypto.suite import Suite

PLACES = 2  # keys, delegations


class Delegation:
    """Who speaks for which images: terminating, agreement (of how many roles), and

    roles  [(role number, (threshold, {kid: public key})), ...] by priority
    Refusals: BadShape, BadKey, BadThreshold (T-25, T-27).
    """

    def __init__(self, value: object, keys: "dict[bytes, bytes]") -> None:
        fields = Fields(value)
        self._ranges = read_ranges(fields.take(DELEGATION_RANGES))
        hardware = fields.take(DELEGATION_HARDWARE)
        self._hardware = None if hardware is None else read_numbers(hardware, True)
        terminating = fields.take(DELEGATION_TERMINATING)
        self.terminating = terminating is True
        if terminating is not None and not self.terminating:
            raise BadShape
        self.roles: list[tuple[int, Keyholders]] = []
        for item in read_list(fields.take(DELEGATION_ROLES), 1, DELEGATED_ROLES_MAX):
            number, threshold, kids = read_list(item, 3, 3)
            role = read_number(number, DELEGATED_FIRST, DELEGATED_LAST)
            if role in [known for known, _ in self.roles]:
                raise BadShape
            self.roles.append((role, read_keyholders(threshold, kids, keys)))
        self.agreement = self._read_agreement(fields.take(DELEGATION_AGREEMENT))
        fields.end()

    def covers(self, wanted: Entry) -> bool:
        """Is it about this image, on all hardware that the image is for? (V-76.4.1, T-20, T-26)"""
        if self._hardware is not None:
            for hardware in wanted.hardware:
                if hardware not in self._hardware:
                    return False
        return any(first <= wanted.number <= last for first, last in self._ranges)

    def _read_agreement(self, value: object) -> int:
        """There is one exactly if there are several roles."""
        if (value is None) != (len(self.roles) == 1):
            raise BadShape
        if value is None:
            return 1
        if not 1 <= read_number(value, 0, NUMBER_MAX) <= len(self.roles):
            raise BadThreshold
        return read_number(value, 1, NUMBER_MAX)


class Delegations:
    """The delegations of an open Targets file, by priority; read one at a time, held all against
    the grammar at once. Refusals: BadShape, those of Delegation.
    """

    def __init__(self, suite: "Suite", targets: Targets) -> None:
        self._raw = targets.delegations
        self._keys: dict[bytes, bytes] = {}
        self._offsets: list[int] = []
        if self._raw is None:
            return
        places, rest = open_items(self._raw, ARRAY)
        if places != PLACES:
            raise BadShape
        keys, rest = cbor.loads_first(rest)
        self._keys = read_keys(suite, keys)
        count, rest = open_items(rest, ARRAY)
        if not 1 <= count <= DELEGATIONS_MAX:
            raise BadShape
        for _ in range(count):
            self._offsets.append(len(self._raw) - len(rest))
            value, rest = cbor.loads_first(rest)
            Delegation(value, self._keys)

    def __len__(self) -> int:
        return len(self._offsets)

    def at(self, place: int) -> Delegation:
        """Return the delegation at a place of the order, from 0."""
        if self._raw is None:
            raise BadShape
        return Delegation(cbor.loads_first(self._raw[self._offsets[place] :])[0], self._keys)


def read_ranges(value: object) -> "list[tuple[int, int]]":
    """Return [(first, last), ...], ascending and apart from each other."""
    ranges: list[tuple[int, int]] = []
    least = 0
    for item in read_list(value, 1, RANGES_MAX):
        first, last = read_list(item, 2, 2)
        start = read_number(first, least, NUMBER_MAX)
        end = read_number(last, start, NUMBER_MAX)
        ranges.append((start, end))
        least = end + 1
    return ranges
