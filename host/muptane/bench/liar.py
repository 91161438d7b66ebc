"""A repository that lies on purpose: live copies of an honest one's files, to edit and to serve.

A `LiveRole` is one role file with its fields laid open as the plain values of its payload; a
`LyingRepository` serves them in place of the honest files. Whatever is edited is signed anew by
the keys that were stolen and by no others, so an attack cannot do more than its power says: a file
that changed without its role's keys goes out under the signatures it had. Nothing here is checked
or put right: that is what the vehicle is for.

It decides nothing and plays nothing (`muptane.bench.attacks`).
Rules: E-08 to E-60, V-71 to V-77.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import cbor2
from cbor2 import CBORTag

from muptane.oem.encoding import encode
from muptane.oem.envelopes import Context, sign
from muptane.oem.keys import Signer
from uptane import ids

Read = Callable[[int, int], bytes | None]
Past = Mapping[int, bytes]
Fields = dict[int, Any]


class LiveRole:
    """One role file. `fields` is its payload, `signers` who signs it when it is written.

    number: of the role. `context` is what its signatures are for, `payload` its bytes: both may
    be replaced; `forge` may alter the list [protected, unprotected, payload, signatures] of the
    envelope at the end.
    """

    def __init__(self, number: int, raw: bytes, identity: bytes) -> None:
        self.number = number
        self.raw = raw
        self.envelope: list[Any] = cbor2.loads(raw).value
        self.fields: Fields = cbor2.loads(self.envelope[2])
        self.signers: tuple[Signer, ...] | None = None  # None: nobody stole a key of it
        kind = ids.TARGETS if number >= ids.DELEGATED_FIRST else number
        self.context = Context(kind, identity, number)
        self.payload: bytes | None = None
        self.forge: Callable[[list[Any]], None] | None = None

    # --- what is edited most -----------------------------------------------------------------

    @property
    def version(self) -> int:
        return int(self.fields[ids.KEY_VERSION])

    @version.setter
    def version(self, version: int) -> None:
        self.fields[ids.KEY_VERSION] = version

    @property
    def expires(self) -> int:
        return int(self.fields[ids.KEY_EXPIRES])

    @expires.setter
    def expires(self, seconds: int) -> None:
        self.fields[ids.KEY_EXPIRES] = seconds

    @property
    def images(self) -> dict[int, Fields]:
        """Of a Targets: {image number: entry}."""
        images: dict[int, Fields] = self.fields[ids.KEY_IMAGES]
        return images

    @property
    def versions(self) -> dict[int, int]:
        """Of a Snapshot: {role: version}."""
        versions: dict[int, int] = self.fields[ids.KEY_VERSIONS]
        return versions

    @property
    def keys(self) -> list[Fields]:
        """Of a Root: its COSE_Keys."""
        keys: list[Fields] = self.fields[ids.KEY_KEYS]
        return keys

    @property
    def roles(self) -> dict[int, list[Any]]:
        """Of a Root: {role: [threshold, [kid, ...]]}."""
        roles: dict[int, list[Any]] = self.fields[ids.KEY_ROLES]
        return roles

    # --- bytes -------------------------------------------------------------------------------

    def encoded(self) -> bytes:
        """The payload as it will be signed."""
        return encode(self.fields) if self.payload is None else self.payload

    def changed(self) -> bool:
        return self.encoded() != self.envelope[2] or self.forge is not None

    def write(self) -> bytes:
        """The file: signed by `signers`; without any, under the signatures that it had."""
        payload = self.encoded()
        if self.signers is None:
            envelope = [*self.envelope[:2], payload, self.envelope[3]]
        else:
            envelope = cbor2.loads(sign(payload, self.signers, self.context)).value
        if self.forge is not None:
            self.forge(envelope)
        return cbor2.dumps(CBORTag(ids.COSE_SIGN, envelope))


class LyingRepository:
    """What a liar says instead of one repository. `read(role, version)` is the honest one, `last`
    its files that the ECU has, and `past` older ones: {role: file}.

    `served` holds what is said of a role whatever version is asked for (None: absent), `roots`
    what is said of a version of Root; everything else is honest.
    """

    def __init__(self, number: int, identity: bytes, read: Read, past: Past, last: Past) -> None:
        self.number = number
        self.identity = identity
        self.honest = read
        self.past = past
        self.last = last
        self.served: dict[int, bytes | None] = {}
        self.roots: dict[int, bytes | None] = {}
        self._live: dict[int, LiveRole] = {}
        self._stolen: dict[int, tuple[Signer, ...]] = {}

    def steal(self, role: int, signers: Iterable[Signer]) -> None:
        """From now on the liar signs for that role."""
        self._stolen[role] = tuple(signers)
        if role in self._live:
            self._live[role].signers = self._stolen[role]

    def forget(self) -> None:
        """Look at the honest files anew; what was stolen stays so."""
        self._live.clear()
        self.served.clear()
        self.roots.clear()

    def role(self, number: int) -> LiveRole:
        """The newest honest file of a role, laid open; the same object each time."""
        if number not in self._live:
            raw = self.honest(number, 0)
            if raw is None:
                raise ValueError(f"repository {self.number} has no file of role {number}")
            self._live[number] = self._open(number, raw)
        return self._live[number]

    @property
    def timestamp(self) -> LiveRole:
        return self.role(ids.TIMESTAMP)

    @property
    def snapshot(self) -> LiveRole:
        return self.role(ids.SNAPSHOT)

    @property
    def targets(self) -> LiveRole:
        return self.role(ids.TARGETS)

    def next_root(self) -> LiveRole:
        """A Root after the newest, laid open and not served yet; `serve_root` does that."""
        root = self._open(ids.ROOT, self.honest(ids.ROOT, 0) or b"")
        root.version += 1
        return root

    def replay(self, *numbers: int) -> None:
        """Serve honest files of these roles that are older than what the ECU has."""
        for number in numbers:
            self.serve(number, self.past[number])

    def freeze(self, *numbers: int) -> None:
        """Serve the files of these roles that the ECU has already."""
        for number in numbers:
            self.serve(number, self.last[number])

    def publish(self, *numbers: int) -> None:
        """Sign anew and serve what was edited, or the roles of these numbers: Targets first, then
        the Snapshot that lists them, then the Timestamp that names it, each one version up unless
        the lie has set its own. What nobody stole a key for stays as it is."""
        for number in sorted(self._live.keys() | set(numbers), reverse=True):
            if number in (ids.ROOT, ids.TIMESTAMP, ids.SNAPSHOT):
                continue
            if number in numbers or self.role(number).changed():
                self._raise(self.role(number))
                if ids.SNAPSHOT in self._stolen:
                    self.snapshot.versions[number] = self.role(number).version
                self.serve(number)
        if ids.SNAPSHOT in self._stolen and (ids.SNAPSHOT in numbers or self.snapshot.changed()):
            self._raise(self.snapshot)
            self.serve(ids.SNAPSHOT)
        if ids.TIMESTAMP in self._stolen:
            self.name_snapshot(self.snapshot)
            if self.timestamp.changed() or ids.TIMESTAMP in numbers:
                self._raise(self.timestamp)
                self.serve(ids.TIMESTAMP)

    def name_snapshot(self, snapshot: LiveRole) -> None:
        """Let the Timestamp name a Snapshot."""
        payload = snapshot.encoded()
        digest = {ids.ALG_SHA256: sha256(payload).digest()}
        self.timestamp.fields[ids.KEY_SNAPSHOT] = [snapshot.version, len(payload), digest]

    def serve(self, number: int, raw: bytes | None = None) -> None:
        """Say this of a role: these bytes, or its live file as it stands."""
        self.served[number] = self.role(number).write() if raw is None else raw

    def serve_root(self, root: LiveRole, signers: Sequence[Signer]) -> None:
        """Serve a Root as the one after the honest newest, signed by `signers`."""
        root.signers = tuple(signers)
        newest = self._open(ids.ROOT, self.honest(ids.ROOT, 0) or b"")
        self.roots[newest.version + 1] = root.write()

    def withhold(self, number: int) -> None:
        """Say of a role that there is no such file."""
        self.served[number] = None

    def answer(self, number: int, version: int) -> bytes | None:
        """What the liar says when a file is asked for."""
        if number == ids.ROOT and version in self.roots:
            return self.roots[version]
        if number in self.served:
            return self.served[number]
        return self.honest(number, version)

    def _open(self, number: int, raw: bytes) -> LiveRole:
        live = LiveRole(number, raw, self.identity)
        live.signers = self._stolen.get(number)
        return live

    @staticmethod
    def _raise(live: LiveRole) -> None:
        before = cbor2.loads(live.envelope[2])[ids.KEY_VERSION]
        if live.version == before and live.payload is None:
            live.version = before + 1
