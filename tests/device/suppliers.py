"""Suppliers: an Image repository that lists nothing itself and delegates, honestly or not.

`Supplied` is a maker whose images all come from suppliers: the brake's straight from role 20, the
door's from role 22, to which role 21 hands on what it got, the gateway's from two of the three
roles 30 to 32. `searched` makes trees of any shape and says what an ECU finds in them.
"""

from maker import BRAKE, DOOR, GATEWAY, Oem, entry_of, kid_of, number_of, seed_of
from memory import digest, public_key
from uptane import cbor, cose
from uptane.errors import NotOnImageRepository
from uptane.ids import (
    ALG_SHA256,
    DELEGATION_AGREEMENT,
    DELEGATION_HARDWARE,
    DELEGATION_RANGES,
    DELEGATION_ROLES,
    DELEGATION_TERMINATING,
    ENTRY_HASHES,
    ENTRY_LENGTH,
    ENTRY_MATCH,
    IMAGE,
    KEY_DELEGATIONS,
    MATCH_HARDWARE,
    MATCH_RELEASE,
)
from vehicle import Full, Primary, prove

BRAKES, LOCKS, HINGES = 20, 21, 22  # roles
PANEL = (30, 31, 32)


def key_of(role, which=0):
    """The seed of a supplier's key."""
    return seed_of(IMAGE, role, which)


class Supplier:
    """What one delegated role says; `seeds` sign it."""

    def __init__(self, role, images=None, delegations=None):
        self.seeds = [key_of(role)]
        self.images = images or {}
        self.delegations = delegations


def to(roles, *ranges, **more):
    """A delegation to one role or several: `ranges` (all numbers if none), and hardware,
    terminating, agreement; threshold and which key of each role.
    """
    roles = roles if isinstance(roles, tuple) else (roles,)
    kids = [kid_of(key_of(role, more.get("which", 0))) for role in roles]
    made = {
        DELEGATION_RANGES: [list(pair) for pair in ranges] or [[0, 0xFFFFFFFF]],
        DELEGATION_ROLES: [[role, 1, [kid]] for role, kid in zip(roles, kids)],
    }
    if "hardware" in more:
        made[DELEGATION_HARDWARE] = more["hardware"]
    if more.get("terminating"):
        made[DELEGATION_TERMINATING] = True
    if len(roles) > 1:
        made[DELEGATION_AGREEMENT] = more.get("agreement", len(roles))
    return made


def with_keys(*delegations):
    """The delegations of a file, with the keys of every role that they name."""
    roles = {role for made in delegations for role, _, _ in made[DELEGATION_ROLES]}
    seeds = [key_of(role, which) for role in roles for which in (0, 1)]
    publics = {kid_of(seed): public_key(seed) for seed in seeds}
    return [
        [cbor.loads(cose.write_key(publics[kid])) for kid in sorted(publics)],
        list(delegations),
    ]


class Supplied(Oem):
    """See above."""

    def __init__(self):
        super().__init__()
        image = self.image
        for role in (BRAKES, LOCKS, HINGES) + PANEL:
            image.suppliers[role] = Supplier(role)
        image.suppliers[LOCKS].delegations = with_keys(to(HINGES, (300, 350), (351, 399)))
        image.delegations = with_keys(
            to(BRAKES, (200, 299), hardware=[20, 21]),
            to(LOCKS, (300, 399)),
            to(PANEL, (100, 199), agreement=2),
        )

    def direct(self, releases):
        super().direct(releases)
        image = self.image
        for ecu, roles in ((BRAKE, (BRAKES,)), (DOOR, (HINGES,)), (GATEWAY, PANEL[1:])):
            numbers = [number_of(*known) for known in self.released if known[0] == ecu]
            for role in roles:
                image.suppliers[role].images = {
                    number: image.images[number] for number in numbers if number in image.images
                }
        image.images = {}


def entry(release=3, **more):
    """An entry for the brake's image 203, or a lie about it: `says` another content."""
    made = entry_of(BRAKE, release)
    if "says" in more:
        made[ENTRY_HASHES] = {ALG_SHA256: digest(more["says"])}
    made[ENTRY_LENGTH] += more.get("longer", 0)
    made[ENTRY_MATCH] = {MATCH_HARDWARE: more.get("hardware", [20]), MATCH_RELEASE: release}
    return made


HONEST = {number_of(BRAKE, 3): entry()}
OTHER = {number_of(BRAKE, 3): entry(says=b"other")}


def planted(tree, kind=Full, hardware=None):
    """Return a node, about to look for the brake's image 203 in `tree`: {role: (images,
    delegations, ...)}, where role 3 is the top-level Targets.
    """
    oem = Oem()
    oem.direct({BRAKE: 3})
    if hardware is not None:
        (listed,) = [oem.director.images[number] for number in oem.director.images]
        listed[ENTRY_MATCH] = {MATCH_HARDWARE: hardware, MATCH_RELEASE: 3}
        oem.director.publish()
    for role in tree:
        images, delegations = tree[role][0], tree[role][1:]
        value = with_keys(*delegations) if delegations else None
        if role == 3:
            oem.image.images, oem.image.delegations = images, value
        else:
            oem.image.suppliers[role] = Supplier(role, images, value)
    oem.image.publish()
    return kind(oem)


def finds(tree, hardware=None):
    """Is the brake's image found in a tree, as the Director describes it? Return the roles that
    were asked for on the way, too.
    """
    node = planted(tree, hardware=hardware)
    try:
        found = node.refresh().new == [BRAKE]
    except NotOnImageRepository:
        found = False
    return found, [role for repository, role, _ in node.wants if repository == IMAGE and role > 3]


def altered(role, change):
    """A lie: whoever holds the keys of a role of the Image repository changes its next file."""

    def lie(oem):
        oem.image.alter[role] = change
        oem.publish(3)

    return lie


def reworked(role, change):
    """A lie: somebody without a key changes the bytes of the next file."""

    def lie(oem):
        oem.publish(3)
        raw = change(oem.image.files[role, oem.image.versions[role]])
        oem.image.files[role, oem.image.versions[role]] = raw

    return lie


def refused(lie, refusal):
    """The lie is refused by a Secondary and by a Primary, which leaves all ECUs alone (T-35)."""
    prove(Full, lie, refusal, Supplied)
    prove(Primary, lie, refusal, Supplied)


def fresh(fields):
    """Give a file delegations of its own, so that an edit of them is forgotten with it."""
    keys, listed = fields[KEY_DELEGATIONS]
    listed = [{key: made[key] for key in made} for made in listed]
    for made in listed:
        made[DELEGATION_ROLES] = [list(role) for role in made[DELEGATION_ROLES]]
    fields[KEY_DELEGATIONS] = [list(keys), listed]
    return fields
