"""A PostgreSQL of our own for a while: in a temporary folder, on a socket in it, gone afterwards.

It is Debian's (scripts/postgres installs it), set as one would run it: every commit waits for the
disk. It listens on no network, and its folder belongs to an unprivileged user, because initdb
refuses root. Nothing here knows what is kept in it.
Rules: R-17.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PORT = 5432  # names the socket in the folder; no port is opened
USERS = ("postgres", "nobody")  # the first that there is, for who runs as root
START_S = 60
SETTINGS = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "listen_addresses=")
INSTALLED = Path("/usr/lib/postgresql")  # <version>/bin, on Debian


class NoPostgres(Exception):
    """There is none here, or it does not start; the text says what to do."""


def places() -> list[Path]:
    """Where its programs may be: Debian keeps each version in a folder of its own."""
    named = shutil.which("initdb")
    on_path = [] if named is None else [Path(named).resolve().parent]
    return [*on_path, *sorted(INSTALLED.glob("*/bin"), reverse=True)]


def binaries(folders: Sequence[Path]) -> Path:
    """The first of these folders that has initdb and pg_ctl; else NoPostgres."""
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise NoPostgres("there is no PostgreSQL here: run scripts/postgres, or install it")


@contextmanager
def postgres(folders: Sequence[Path] | None = None) -> Iterator[str]:
    """A server while it lasts: the URL of its one database, for its owner. `folders`: where its
    programs may be, None for `places`. Refuses with NoPostgres."""
    tools = binaries(places() if folders is None else folders)
    folder = Path(tempfile.mkdtemp(prefix="muptane-pg-"))
    user = _user()
    try:
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        _run(user, tools / "initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8")
        settings = " ".join(f"-c {setting}" for setting in SETTINGS)
        options = f"-k {folder} -p {PORT} {settings}"
        log = ("-l", folder / "log", "-o", options, "-w", "-t", str(START_S))
        _run(user, tools / "pg_ctl", "-D", data, *log, "start")
        try:
            yield f"postgresql://owner@/postgres?host={folder}&port={PORT}"
        finally:
            _run(user, tools / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str | None:
    """Who runs the server; None: who runs us."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in USERS:
        if name in known:
            return name
    raise NoPostgres("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _run(user: str | None, program: Path, *arguments: str | Path) -> None:
    command: Sequence[str] = [str(program), *map(str, arguments)]
    group = None if user is None else pwd.getpwnam(user).pw_gid
    groups = None if user is None else ()
    done = subprocess.run(
        command, user=user, group=group, extra_groups=groups, cwd="/", check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        timeout=2 * START_S, env={"PATH": os.defpath, "LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode:
        raise NoPostgres(f"{program.name} failed: {done.stderr.strip()[-400:]}")
