"""Which role files were signed by whoever spoke for their role, at some Root of the repository.

A superseded file was signed by keys that may have been replaced since, and a supplier's by keys
that an older Targets named; so each file is held against every Root, and every delegation that a
signed file ever made. That a file is signed says that it is genuine, not that it counts: what
counts has to verify under the newest Root, and `ImageRepository.open` sees to that.
Rules: V-71, R-43, S-19.
"""

from collections.abc import Iterable, Mapping

from muptane.oem.check import verify_next_root, verify_role, verify_root_1
from muptane.oem.delegations import Delegate
from muptane.oem.envelopes import Context
from muptane.oem.errors import Malformed, OemRefusal
from muptane.oem.image_repository import role_name
from muptane.oem.keys import Holders
from muptane.oem.metadata import Role, Root
from muptane.oem.published import RoleName, read_name
from muptane.oem.storage import Store
from muptane.oem.targets import Targets
from uptane import ids


def verified_roots(raws: Iterable[bytes]) -> list[Root]:
    """Every Root, each verified by the one before. Refuses like `verify_next_root`."""
    made: list[Root] = []
    identity = b""
    for raw in raws:
        if not made:
            made.append(verify_root_1(raw))
            identity = made[0].identity()
        else:
            made.append(verify_next_root(raw, made[-1], identity))
    if not made:
        raise Malformed("there is no Root")
    return made


def genuine_role(raw: bytes, role: int, roots: Iterable[Root], identity: bytes) -> Role | None:
    """What a file of a top-level role says, if its keys of any Root signed it."""
    return _by_any(raw, (root.holders(role) for root in roots), Context(role, identity, role))


def _by_any(raw: bytes, holders: Iterable[Holders], context: Context) -> Role | None:
    for held in {(one.threshold, one.keys): one for one in holders}.values():
        try:
            return verify_role(raw, held.keys, held.threshold, context)
        except OemRefusal:
            continue
    return None


class Signed:
    """`genuine`: the role files that verify, by name; `roots`; `identity`; `listed` and `maps`:
    (number, SHA-256) of every image, and (number, listing) of every map that one of them lists."""

    def __init__(self, files: Mapping[str, bytes], older: "Signed | None" = None) -> None:
        """`files`: those of an Image repository, by name; what is no role file is passed over.
        `older`: of the same repository, whose delegations may be written nowhere else by now.
        Refuses like `verified_roots`."""
        self._older = older
        raws: list[bytes] = []
        while (name := role_name(ids.ROOT, len(raws) + 1)) in files:
            raws.append(files[name])
        self.roots = verified_roots(raws)
        self.identity = self.roots[0].identity()
        self.genuine: dict[str, Role] = {
            role_name(ids.ROOT, root.version): root for root in self.roots
        }
        waiting: dict[str, tuple[RoleName, bytes]] = {}
        for name, raw in files.items():
            named = read_name(name)
            if isinstance(named, RoleName) and named.number != ids.ROOT:
                waiting[name] = named, raw
        for name, (named, raw) in list(waiting.items()):
            if named.number == named.type:
                self._keep(name, named, genuine_role(raw, named.type, self.roots, self.identity))
                del waiting[name]
        self._delegated(waiting)
        targets = [role for role in self.genuine.values() if isinstance(role, Targets)]
        self.listed = {
            (number, entry.hashes.get(ids.ALG_SHA256, b""))
            for role in targets
            for number, entry in role.images.items()
        }
        self.maps = [item for role in targets for item in role.maps.items()]

    def _delegated(self, waiting: dict[str, tuple[RoleName, bytes]]) -> None:
        """Files of delegated roles, as long as one of them makes another one genuine."""
        before = -1
        while before != len(self.genuine):
            before = len(self.genuine)
            delegates = self._delegates()
            for name, (named, raw) in list(waiting.items()):
                holders = [
                    Holders(one.threshold, one.keys)
                    for one in delegates
                    if one.number == named.number
                ]
                context = Context(ids.TARGETS, self.identity, named.number)
                self._keep(name, named, _by_any(raw, holders, context))
                if name in self.genuine:
                    del waiting[name]

    def _keep(self, name: str, named: RoleName, role: Role | None) -> None:
        if role is not None and named.version in (0, role.version):
            self.genuine[name] = role

    def _delegates(self) -> list[Delegate]:
        older = [] if self._older is None else self._older.genuine.values()
        return [
            delegate
            for role in (*older, *self.genuine.values())
            if isinstance(role, Targets)
            for delegation in role.delegations
            for delegate in delegation.roles
        ]


def unsigned(store: Store) -> list[str]:
    """The role files of a store that nobody signed who ever spoke for the repository's own roles.
    (Who signed a supplier's old file may be written nowhere any more.) Refuses like Signed."""
    signed = Signed(role_files(store))
    return [
        name
        for name in store.names()
        if isinstance(named := read_name(name), RoleName)
        and named.number < ids.DELEGATED_FIRST
        and name not in signed.genuine
    ]


def role_files(store: Store) -> dict[str, bytes]:
    """The role files of a store, by name."""
    named = (name for name in store.names() if isinstance(read_name(name), RoleName))
    return {name: store.read(name) or b"" for name in named}
