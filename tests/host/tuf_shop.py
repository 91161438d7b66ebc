"""A TUF repository that python-tuf makes, on 127.0.0.1, honest until a test changes it.

Roles are objects of python-tuf; `publish` signs and serves. `raws` is what is served, so a test
may lie byte by byte. `asked` lists the paths that came. It does NOT know the client.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)

NOW = datetime.now(UTC).replace(microsecond=0)
LATER = NOW + timedelta(days=30)
PAST = NOW - timedelta(days=1)
TOP = ("root", "timestamp", "snapshot", "targets")
KINDS = {
    "ed25519": CryptoSigner.generate_ed25519,
    "ecdsa": CryptoSigner.generate_ecdsa,
    "rsa": CryptoSigner.generate_rsa,
}


class Shop:
    """A repository at version 1 of everything; `names`: does the Snapshot say length and hash?"""

    def __init__(self, *, names_hashes: bool = False) -> None:
        self.raws: dict[str, bytes] = {}
        self.images: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.trouble = 0  # or the status that it answers everything with
        self.names_hashes = names_hashes
        self.signers: dict[str, list[CryptoSigner]] = {}
        self.root = Root(expires=LATER)
        self.timestamp = Timestamp(expires=LATER)
        self.snapshot = Snapshot(expires=LATER)
        self.roles: dict[str, Targets] = {"targets": Targets(expires=LATER)}
        for role in TOP:
            self.add_key(role)
        self.publish("root", "targets", bump=0)

    @property
    def targets(self) -> Targets:
        return self.roles["targets"]

    def add_key(self, role: str, kind: str = "ed25519") -> CryptoSigner:
        signer = KINDS[kind]()
        self.signers.setdefault(role, []).append(signer)
        self.root.add_key(signer.public_key, role)
        return signer

    def change_keys(self, role: str) -> None:
        """New keys for a role; the old ones sign no more."""
        count = len(self.signers.pop(role))
        self.root.roles[role].keyids.clear()
        for _ in range(count):
            self.add_key(role)

    def signed(self, role: str, content: Any, *more: CryptoSigner) -> bytes:
        """A signed file, by the keys of the role and these."""
        metadata = Metadata(content)
        for signer in [*self.signers.get(role, []), *more]:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def publish(self, *roles: str, bump: int = 1, by: tuple[CryptoSigner, ...] = ()) -> None:
        """Sign these roles, and a Snapshot and Timestamp of all; `by`: signers besides."""
        for role in roles:
            content: Any = self.root if role == "root" else self.roles[role]
            content.version += bump
            self._serve(role, content, self.signed(role, content, *by))
        for role, content in self.roles.items():
            raw = self.raws.get(self.file(role, content.version))
            if raw is not None:
                self.snapshot.meta[f"{role}.json"] = self.named(content.version, raw)
        self.publish_snapshot(bump)

    def publish_snapshot(self, bump: int = 1) -> None:
        self.snapshot.version += bump
        self._serve("snapshot", self.snapshot, self.signed("snapshot", self.snapshot))
        raw = self.raws[self.file("snapshot", self.snapshot.version)]
        self.timestamp.snapshot_meta = self.named(self.snapshot.version, raw)
        self.publish_timestamp(bump)

    def publish_timestamp(self, bump: int = 1) -> None:
        self.timestamp.version += bump
        self.raws["timestamp.json"] = self.signed("timestamp", self.timestamp)

    def named(self, version: int, raw: bytes) -> MetaFile:
        if not self.names_hashes:
            return MetaFile(version)
        return MetaFile.from_data(version, raw, ["sha256"])

    def delegate(self, by: str, role: str, **choices: Any) -> None:
        """Let `by` delegate to `role`; choices: paths, path_hash_prefixes, terminating."""
        if not {"paths", "path_hash_prefixes"} & set(choices):
            choices["paths"] = ["*"]
        terminating = choices.pop("terminating", False)
        delegator = self.roles[by]
        if delegator.delegations is None:
            delegator.delegations = Delegations({}, {})
        assert delegator.delegations.roles is not None
        delegator.delegations.roles[role] = DelegatedRole(role, [], 1, terminating, **choices)
        if role not in self.signers:
            self.signers[role] = [CryptoSigner.generate_ed25519()]
        delegator.add_key(self.signers[role][0].public_key, role)
        self.roles.setdefault(role, Targets(expires=LATER))

    def make_bins(self, bits: int) -> list[str]:
        """Let the top-level Targets delegate to 2**bits bins; return their names."""
        signer = CryptoSigner.generate_ed25519()
        bins = SuccinctRoles([], 1, bits, "bin")
        self.targets.delegations = Delegations({}, None, bins)
        self.targets.add_key(signer.public_key)
        names = list(bins.get_roles())
        for name in names:
            self.signers[name] = [signer]
            self.roles[name] = Targets(expires=LATER)
        return names

    def list_image(self, role: str, path: str, content: bytes) -> None:
        entry = TargetFile.from_data(path, content, ["sha256"])
        self.roles[role].targets[path] = entry
        head, slash, last = path.rpartition("/")
        self.images[f"{head}{slash}{entry.hashes['sha256']}.{last}"] = content
        self.images[path] = content

    def file(self, role: str, version: int) -> str:
        name = f"{quote(role, safe='')}.json"
        if role == "root" or (role != "timestamp" and self.root.consistent_snapshot):
            return f"{version}.{name}"
        return name

    def _serve(self, role: str, content: Any, raw: bytes) -> None:
        self.raws[self.file(role, content.version)] = raw


@contextmanager
def served(shop: Shop) -> Iterator[str]:
    """The address of a shop on this machine, for as long as it is open."""

    class Counter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place, _, name = self.path.lstrip("/").partition("/")
            shop.asked.append(self.path.lstrip("/"))
            raw = shop.raws.get(name) if place == "metadata" else shop.images.get(unquote(name))
            self.send_response(shop.trouble or (404 if raw is None else 200))
            self.send_header("Content-Length", str(len(raw or b"")))
            self.end_headers()
            self.wfile.write(raw or b"")

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counter)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
