"""The map: which repositories there are, and which of them must agree on an image.

A map carries no signature: each repository that agrees to it lists its length and hashes, by its
number, in its top-level Targets, and so lends it its thresholds, versions and expiry. It takes
the place of the current map when every repository of the *current* one lists the same of it, its
number is higher and it is what was listed. The first mapping whose ranges hold an image decides;
a disagreement is never passed on to a later one (T-46). A repository that a map brings in shows
its Root 1 before the map is stored. Number 1 is the Director of reports and of time, 2 the first
Image repository: no map changes those. It does NOT compare entries: `full` does. A partial ECU
has no map.
Rules: V-20, V-75, V-78, T-34, T-45, T-46, S-46, S-47, S-50, E-83, E-84.
"""

from uptane import cbor, cose
from uptane.errors import (
    BadShape,
    NotOnImageRepository,
    Rollback,
    SameVersionDiffers,
    TooLong,
    UnknownHash,
    VersionMismatch,
    Withheld,
    WrongFormat,
    WrongHash,
    WrongRepository,
    WrongType,
)
from uptane.ids import (
    ALG_SHA256,
    DELEGATED_LAST,
    DIRECTOR,
    FORMAT,
    IMAGE,
    KEY_FORMAT,
    KEY_TYPE,
    KIND_MAP,
    KIND_METADATA,
    MAP_MAPPINGS,
    MAP_NUMBER,
    MAP_REPOSITORIES,
    RECORD_MAP,
    ROOT,
    TYPE_MAP,
)
from uptane.limits import (
    DIGEST_BYTES,
    MAP_BYTES_MAX,
    MAPPINGS_MAX,
    MAPS_MAX,
    REPOSITORIES_MAX,
    ROOT_BYTES_MAX,
)
from uptane.meta.delegation import read_ranges
from uptane.meta.files import record_of
from uptane.meta.roles import Root
from uptane.meta.shape import (
    NUMBER_MAX,
    Fields,
    read_bytes,
    read_hashes,
    read_list,
    read_map,
    read_number,
    read_numbers,
)
from uptane.meta.wants import Want

if False:  # for the type checker
    from errand import Changes, Cycle, Hashes
    from uptane.meta.files import Files
    from uptane.meta.targets import Targets
    from uptane.meta.trusted import Trusted

    Listing = tuple[int, int, Hashes]  # number of a map, its length in bytes, its hashes


class Map:
    """The map of an ECU whose Director and Image repository have these identities.

    raw: its file, or None: the one that is built in, number 0, by which those two agree on every
    image. repositories: {number: identity}. Refusals: those of `cbor.loads`; BadShape, TooLong,
    WrongFormat, WrongType; WrongRepository if it is a map of others.
    """

    def __init__(self, director: bytes, image: bytes, raw: "bytes | None") -> None:
        self.raw = raw
        self.number = 0
        self.repositories = {DIRECTOR: director, IMAGE: image}
        self._mappings: list[tuple[list[tuple[int, int]], tuple[int, ...]]] = []
        if raw is None:
            self._mappings.append(([(0, NUMBER_MAX)], (DIRECTOR, IMAGE)))
            return
        if len(raw) > MAP_BYTES_MAX:
            raise TooLong
        fields = Fields(cbor.loads(raw))
        if read_number(fields.take(KEY_FORMAT), 0, NUMBER_MAX) != FORMAT:
            raise WrongFormat
        if read_number(fields.take(KEY_TYPE), 0, NUMBER_MAX) != TYPE_MAP:
            raise WrongType
        self.number = read_number(fields.take(MAP_NUMBER), 1, NUMBER_MAX)
        self._read_repositories(fields.take(MAP_REPOSITORIES))
        for mapping in read_list(fields.take(MAP_MAPPINGS), 1, MAPPINGS_MAX):
            ranges, agreeing = read_list(mapping, 2, 2)
            self._mappings.append((read_ranges(ranges), self._read_agreeing(agreeing)))
        fields.end()

    def _read_repositories(self, value: object) -> None:
        listed = read_map(value)
        for known in self.repositories:
            if listed.get(known) != self.repositories[known]:
                raise WrongRepository
        for number in listed:
            identity = read_bytes(listed[number], DIGEST_BYTES)
            self.repositories[read_number(number, DIRECTOR, REPOSITORIES_MAX)] = identity

    def _read_agreeing(self, value: object) -> "tuple[int, ...]":
        """A Director and an Image repository at the least, all of them of this map."""
        agreeing = read_numbers(value, True)
        kinds = []
        for number in agreeing:
            if number not in self.repositories:
                raise BadShape
            kinds.append(number & 1)
        if DIRECTOR not in kinds or 0 not in kinds:
            raise BadShape
        return agreeing

    def of_kind(self, kind: int) -> "list[int]":
        """Return the numbers of all Directors (DIRECTOR) or Image repositories (0), ascending."""
        return [number for number in sorted(self.repositories) if number & 1 == kind]

    def agreeing(self, image: int, kind: int) -> "list[int]":
        """Return those of a kind that must agree on an image. Refusal: NotOnImageRepository if no
        mapping covers it.
        """
        for ranges, numbers in self._mappings:
            if any(first <= image <= last for first, last in ranges):
                return [number for number in numbers if number & 1 == kind]
        raise NotOnImageRepository


def read_listings(targets: "Targets") -> "dict[int, Listing]":
    """Return {number: Listing} of the maps that a Targets lists. Refusal: BadShape."""
    listings: dict[int, Listing] = {}
    if targets.maps is not None:
        pairs = read_map(targets.maps)
        if not 1 <= len(pairs) <= MAPS_MAX:
            raise BadShape
        for key in pairs:
            number = read_number(key, 1, NUMBER_MAX)
            length, hashes = read_list(pairs[key], 2, 2)
            size = read_number(length, 1, MAP_BYTES_MAX)
            listings[number] = (number, size, read_hashes(hashes))
    return listings


def proposed(files: "Files", current: Map, said: "list[Targets]") -> "Listing | None":
    """Return what all Directors list beyond the current map, or None unless all of them do.

    `files`: of any repository. Refusals: BadShape if one lists two; Rollback; SameVersionDiffers.
    """
    first = None
    count = 0
    for targets in said:
        listings = list(read_listings(targets).values())
        if len(listings) > 1:
            raise BadShape
        for listing in listings:
            number, _, hashes = listing
            if number < current.number:
                raise Rollback
            if number == current.number:
                if hashes.get(ALG_SHA256) != files.digest(current.raw or b""):
                    raise SameVersionDiffers
                continue
            first = first or listing
            if number == first[0]:
                count += 1
                if listing != first:
                    raise SameVersionDiffers
    return first if count == len(said) else None


def agrees(targets: "Targets", proposal: "Listing | None") -> bool:
    """Does an Image repository list it, too? Refusals: BadShape, SameVersionDiffers."""
    listings = read_listings(targets)
    if proposal is None or proposal[0] not in listings:
        return False
    if listings[proposal[0]] != proposal:
        raise SameVersionDiffers
    return True


def adopt(
    current: Map, proposal: "Listing", repositories: "dict[int, Trusted]"
) -> "Cycle[Changes]":
    """Bring a map that all repositories of the current one agree to, and the Root 1 of each that
    it brings in; return the records of both. What is stored of repositories that leave is to be
    deleted by the same Commit.

    Refusals: UnknownHash, Withheld, WrongHash, VersionMismatch; those of Map and of `_found`.
    """
    image = repositories[IMAGE]
    number, length, hashes = proposal
    for algorithm in hashes:
        if algorithm not in image.policy.t34_hashes:
            raise UnknownHash
    raw = yield Want(IMAGE, KIND_MAP, number, hashes[ALG_SHA256], length)
    if raw is None:
        raise Withheld
    if len(raw) != length or image.files.digest(raw) != hashes[ALG_SHA256]:
        raise WrongHash
    made = Map(current.repositories[DIRECTOR], current.repositories[IMAGE], raw)
    if made.number != number:
        raise VersionMismatch
    changes: Changes = {RECORD_MAP: raw}
    for known in current.repositories:
        if current.repositories[known] != made.repositories.get(known):
            _forget(repositories[known].files)
    for other in made.of_kind(DIRECTOR) + made.of_kind(0):
        identity = made.repositories[other]
        if current.repositories.get(other) != identity:
            root = yield Want(other, KIND_METADATA, ROOT, 1, ROOT_BYTES_MAX)
            changes[record_of(other, ROOT)] = _found(image, root, identity)
    return changes


def _found(image: "Trusted", raw: "bytes | None", identity: bytes) -> bytes:
    """Return the Root 1 of a new repository. Its signatures say no more than the identity.

    Refusals: Withheld, TooLong, WrongRepository; those of `cose.read_sign` and of Root.
    """
    if raw is None:
        raise Withheld
    if len(raw) > ROOT_BYTES_MAX:
        raise TooLong
    payload = cose.read_sign(raw).payload
    if image.files.digest(payload) != identity or Root(image.files.suite, payload).version != 1:
        raise WrongRepository
    return raw


def _forget(files: "Files") -> None:
    """Drop the candidates of a repository and delete what is stored of it."""
    files.changes = {}
    for role in range(DELEGATED_LAST + 1):
        if files.read(role) is not None:
            files.changes[files.record(role)] = None
    if files.read_mark() is not None:
        files.changes[files.mark_record] = None
