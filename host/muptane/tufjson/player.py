"""Carries out orders, and is MicroPython's end of the pipe: the decisions run here, the host does
what they ask for.

    micropython -m muptane.tufjson.player

One JSON value a line. The first line from the host is the order; each line to the host is a
question [what, argument, ...] that it answers with one line, or the outcome {...}. Bytes to the
host are base64 in {"b": text}; a file from it is a line with its length, and then its bytes,
because a line of megabytes is read in minutes. It decides nothing and opens nothing.
"""

import binascii
import json
import sys

from muptane.tufjson.session import Session
from uptane.errors import Refusal

if False:  # for the type checker
    from typing import Any


class Pipe:
    """The port of a Session whose other end is the host."""

    def stored(self, repository: int, file: str) -> "bytes | None":
        """Ask for a stored file."""
        return ask_file("stored", repository, file)

    def fetch(self, repository: int, file: str, cap: int) -> "bytes | None":
        """Ask for a file of a repository."""
        return ask_file("fetch", repository, file, cap)

    def commit(self, repository: int, files: "dict[str, bytes | None]") -> None:
        """Have files stored."""
        ask("commit", repository, {name: pack(files[name]) for name in files})

    def verify(
        self, kind: str, scheme: str, public: str, message: bytes, signature: bytes
    ) -> bool:
        """Ask whether a signature is by a key."""
        good: bool = ask("verify", kind, scheme, public, pack(message), pack(signature))
        return good

    def identity(self, public: str) -> str:
        """Ask what all texts of a key have in common."""
        same: str = ask("identity", public)
        return same


def pack(raw: "bytes | None") -> "Any":
    """Return what stands for bytes in a line."""
    if raw is None:
        return None
    return {"b": str(binascii.b2a_base64(raw), "ascii").strip()}


def ask_file(*question: object) -> "bytes | None":
    """Ask for a file."""
    count = ask(*question)
    return None if count is None else sys.stdin.buffer.read(count)


def ask(*question: object) -> "Any":
    """Say one line and return what the host answers."""
    say(list(question))
    return json.loads(sys.stdin.readline())


def say(value: object) -> None:
    """Send one line."""
    sys.stdout.write(json.dumps(value) + "\n")


def decide(port: "Any", order: "Any") -> "Any":
    """Carry out an order; return what there is of a path, or None. {"now", "path", "ecu"}, or to
    look at the Roots alone {"now", "is_uptane"}."""
    session = Session(port, order["now"])
    if "is_uptane" in order:
        session.check_roots(order["is_uptane"])
        return None
    if order["ecu"] is None:
        return session.refresh(order["path"])
    return session.follow_director(order["ecu"], order["path"])


def play() -> None:
    """Run the session that the host orders, and say how it ended."""
    order = json.loads(sys.stdin.readline())
    try:
        found = decide(Pipe(), order)
    except Refusal as refusal:
        say({"refusal": refusal.number})
        return
    if found is not None:
        found["hashes"] = {name: pack(found["hashes"][name]) for name in found["hashes"]}
    say({"found": found})


if __name__ == "__main__":
    play()
