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


def binaries() -> Path:
    """The folder of initdb and pg_ctl, the newest version; else NoPostgres."""
    found = [path.parent for path in INSTALLED.glob("*/bin/initdb")]
    found.sort(key=lambda folder: [int(n) for n in folder.parent.name.split(".") if n.isdigit()])
    on_path = shutil.which("initdb")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    whole = [folder for folder in found if (folder / "pg_ctl").exists()]
    if not whole:
        raise NoPostgres("there is no PostgreSQL here: run scripts/postgres, or install it")
    return whole[-1]


@contextmanager
def postgres() -> Iterator[str]:
    """A server while it lasts: the URL of its one database, for its owner. Refuses with
    NoPostgres."""
    tools = binaries()
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
