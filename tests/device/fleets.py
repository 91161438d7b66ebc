"""A maker and a fleet: two Directors and one or two Image repositories that a map holds together.

`Two` begins with the built-in map, `Three` with a map in which the fleet's Director (3) has a say
on every image, `Four` with one in which the brakes' own Image repository (4) has a say on theirs.
Whatever `publish` directs, every Director directs; `charter` makes a map, `listed_by` lets
repositories list it. Not a test file.
"""

from maker import BRAKE, Oem, Repository, entry_of, number_of
from memory import digest
from uptane import cbor
from uptane.ids import (
    ALG_SHA256,
    DIRECTOR,
    FORMAT,
    IMAGE,
    KEY_FORMAT,
    KEY_TYPE,
    KIND_MAP,
    MAP_MAPPINGS,
    MAP_NUMBER,
    MAP_REPOSITORIES,
    RECORD_MAP,
    RECORD_METADATA,
    ROOT,
    TYPE_MAP,
)

FLEET, BRAKES = 3, 4  # repositories
ALL = [[0, 0xFFFFFFFF]]
OF_BRAKES = [[100 * BRAKE, 100 * BRAKE + 99]]


def root_record(repository):
    return RECORD_METADATA + 0x100 * (repository - DIRECTOR) + ROOT


class Two(Oem):
    """See above. `charters`: {number: file of a map} that can be fetched."""

    def __init__(self):
        super().__init__()
        self.fleet = self.repositories[FLEET] = Repository(FLEET)
        self.brakes = self.repositories[BRAKES] = Repository(BRAKES)
        self.charters = {}

    def charter(self, number, repositories, mappings=None, **more):
        """Return a map of these repositories; `more` are fields that a liar puts in."""
        fields = {
            KEY_FORMAT: FORMAT,
            KEY_TYPE: TYPE_MAP,
            MAP_NUMBER: number,
            MAP_REPOSITORIES: {other: self.repositories[other].identity for other in repositories},
            MAP_MAPPINGS: mappings or [[ALL, list(repositories)]],
        }
        fields.update(more.get("lies", {}))
        self.charters[number] = cbor.dumps(fields)
        return self.charters[number]

    def listed_by(self, repositories, number, raw=None):
        """Let these repositories list a map from their next publication on, instead of others."""
        raw = raw or self.charters[number]
        for other in repositories:
            maps = {number: [len(raw), {ALG_SHA256: digest(raw)}]}
            self.repositories[other].maps = maps

    def provision(self, raw, *repositories):
        self.provisioned = {RECORD_MAP: raw}
        for other in repositories:
            self.provisioned[root_record(other)] = self.repositories[other].files[ROOT, 1]

    def direct(self, releases):
        super().direct(releases)
        self.fleet.images = {
            number: dict(self.director.images[number]) for number in self.director.images
        }
        self.fleet.publish()
        brakes = [known for known in self.released if known[0] == BRAKE]
        self.brakes.images = {number_of(*known): entry_of(*known) for known in brakes}
        self.brakes.publish()

    def repent(self):
        for number in self.repositories:
            self.repositories[number].repent()

    def answer(self, want):
        if want.kind == KIND_MAP:
            assert want.repository == IMAGE
            return self.charters.get(want.number)
        return super().answer(want)


class Three(Two):
    def __init__(self):
        super().__init__()
        self.provision(self.charter(5, (DIRECTOR, IMAGE, FLEET)), FLEET)


class Four(Two):
    def __init__(self):
        super().__init__()
        mappings = [
            [OF_BRAKES, [DIRECTOR, IMAGE, FLEET, BRAKES]],
            [ALL, [DIRECTOR, IMAGE]],
        ]
        raw = self.charter(5, (DIRECTOR, IMAGE, FLEET, BRAKES), mappings)
        self.provision(raw, FLEET, BRAKES)


def offered(number, repositories, by, **more):
    """A lie or a truth: these repositories list that map of `repositories` from now on."""

    def change(oem):
        oem.charter(number, repositories, **more)
        oem.listed_by(by, number)
        oem.publish(3)

    return change
