"""`muptane backup`: keep an office on a separate target, hold it against that, and put it back.

It only shows what `muptane.oem.backup` does. What was tampered with, and whatever the back office
refuses, ends with exit code 1 and a sentence; a wrong argument with a sentence and 2.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from muptane.oem.backup.compare import Standing, findings
from muptane.oem.backup.finding import Finding
from muptane.oem.backup.live import Moved, Place
from muptane.oem.backup.making import TRIES, Refused, Wish
from muptane.oem.backup.making import make as make_backup
from muptane.oem.backup.record import Receipt, Record
from muptane.oem.backup.restoring import Aim, Backup, advice, check_empty
from muptane.oem.backup.restoring import restore as restore_backup
from muptane.oem.backup.signing import Owner, read_key, receipts
from muptane.oem.backup.target import FolderTarget, Target, open_target
from muptane.oem.backup.vault import Vault
from muptane.oem.errors import BadKey, Malformed, OemRefusal
from muptane.oem.premises import Premises
from muptane.oem.recovery import advance as advance_office

KEY_FOLDER = "backup"  # in the office's folder
WAIT_S = 0.2

app = typer.Typer(help="keep an office elsewhere, and hold it against that", no_args_is_help=True)

FolderArgument = Annotated[Path, typer.Argument(help="the office's folder")]
TargetArgument = Annotated[
    str, typer.Argument(help="a folder, or a URL that fsspec knows: sftp://..., s3://...")
]
InventoryOption = Annotated[
    str, typer.Option(help="SQLAlchemy URL of the inventory; inventory.sqlite, if not said")
]
KeyOption = Annotated[
    str, typer.Option("--key", help="the public key that `make` printed, or a file that has it")
]
NumberOption = Annotated[
    int, typer.Option("--backup", min=0, help="its number; the newest one, if not said")
]
ReceiptOption = Annotated[
    str, typer.Option(help="what `make` printed of the newest backup: shows whether one is gone")
]
PassphraseOption = Annotated[
    str,
    typer.Option(
        envvar="MUPTANE_PASSPHRASE", prompt=True, hide_input=True, help="of the encrypted keys"
    ),
]


@app.command()
def make(
    folder: FolderArgument,
    target: TargetArgument,
    passphrase: PassphraseOption,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="keys/ and ecus/ too, encrypted as they are")
    ] = False,
    inventory: InventoryOption = "",
    key_folder: Annotated[
        Path | None,
        typer.Option(help="where the key lies that signs backups; FOLDER/backup, if not said"),
    ] = None,
) -> None:
    """Store what the office has and the target has not, and sign it."""
    console = Console(highlight=False, soft_wrap=True)
    with refusing(console):
        place = standing_at(folder, inventory)
        there = separate(target, folder)
        owner = Owner(key_folder or folder / KEY_FOLDER, passphrase.encode())
        vault = Vault(there, owner.signer.key)
        begins = not vault.records
        try:
            made = make_backup(place, vault, owner, Wish(int(time.time()), with_keys))
        except Refused as refused:
            told(console, refused.found)
            raise
    count = made.count
    console.print(
        f"Backup {made.receipt.number} on {escape(target)}: {count.objects:,} objects of"
        f" {count.length:,} bytes, {count.new_objects:,} of {count.new_length:,} bytes are new."
    )
    if begins:
        console.print("It is the first of a series. To verify and restore, keep its public key:")
        console.print(f"  {owner.signer.key.public.hex()}")
    console.print("Receipt, to be kept away from here:")
    console.print(f"  {made.receipt}")


@app.command()
def verify(
    folder: FolderArgument,
    target: TargetArgument,
    key: KeyOption,
    number: NumberOption = 0,
    receipt: ReceiptOption = "",
    inventory: InventoryOption = "",
) -> None:
    """Hold the office against a backup: what was changed, added or removed, and is it legal?"""
    console = Console(highlight=False, soft_wrap=True)
    with refusing(console):
        place = standing_at(folder, inventory)
        vault = opened(target, key, receipt, receipts(folder / KEY_FOLDER))
        record = vault.pick(number)
        contents = vault.contents(record)
        vault.check(contents)
        console.print(f"{said(record)}: every object is as it was signed.")
        found = compared(place, vault, record)
    tampered = told(console, found)
    if tampered:
        console.print(f"[red]{tampered} things are not the office's own work.[/]")
        console.print(
            "Take the office off the net, keep its folder as evidence, and restore the newest"
            " backup from before; stolen keys have to be replaced (R-39)."
        )
        raise typer.Exit(1)
    console.print("[green]Nothing was tampered with.[/]")


def compared(place: Place, vault: Vault, record: Record) -> list[Finding]:
    """What `verify` finds, at a moment at which nothing is published."""
    contents = vault.contents(record)
    for _ in range(TRIES):
        try:
            with place.moment(contents.has_secrets()) as moment:
                return findings(vault, contents, Standing(moment), int(time.time()))
        except Moved:
            time.sleep(WAIT_S)
    raise Malformed("the office publishes all the time: try when it is idle")


@app.command()
def restore(
    target: TargetArgument,
    folder: Annotated[Path, typer.Argument(help="where to: a folder that is new or empty")],
    key: KeyOption,
    number: NumberOption = 0,
    receipt: ReceiptOption = "",
    inventory: Annotated[
        str,
        typer.Option(help="SQLAlchemy URL of an empty inventory; SQLite in FOLDER, if not said"),
    ] = "",
) -> None:
    """Verify a whole backup, then put it into an empty folder: all of it or nothing."""
    console = Console(highlight=False, soft_wrap=True)
    with refusing(console):
        check_empty(folder.resolve())
        vault = opened(target, key, receipt, {})
        backup = Backup(vault, vault.pick(number))
        console.print(f"{said(backup.record)}: every object and signature is right.")
        restore_backup(backup, Aim(folder, inventory))
    console.print(f"[green]Restored into {escape(str(folder))}.[/] What to do now:")
    for sentence in advice(backup, folder):
        console.print(f"  - {escape(sentence)}")


@app.command()
def advance(folder: FolderArgument, passphrase: PassphraseOption) -> None:
    """Go beyond every version that vehicles may have seen, in an office that was restored."""
    console = Console(highlight=False, soft_wrap=True)
    with refusing(console):
        by = advance_office(Premises(folder, passphrase.encode()), int(time.time()))
    console.print(f"Every role was signed anew, {by:,} versions further. The office may work.")


@contextmanager
def refusing(console: Console) -> Iterator[None]:
    """What the back office or the disk refuses ends with a sentence."""
    try:
        yield
    except (OemRefusal, OSError) as refusal:
        console.print(f"[red]Refused:[/] {escape(str(refusal))}")
        raise typer.Exit(1) from refusal


def standing_at(folder: Path, inventory: str = "") -> Place:
    """The office in a folder."""
    try:
        return Place.of(folder, inventory)
    except Malformed as refusal:
        raise typer.BadParameter(str(refusal)) from refusal


def separate(target: str, folder: Path) -> Target:
    """A target that does not share its fate with the office."""
    made = open_target(target)
    if isinstance(made, FolderTarget) and made.folder.resolve().is_relative_to(folder.resolve()):
        raise typer.BadParameter(
            f"{target} is inside {folder}: what takes the one takes the other"
        )
    return made


def opened(target: str, key: str, receipt: str, kept: dict[str, str]) -> Vault:
    """The series on a target, by the pinned key, with everything of it that is remembered."""
    try:
        pinned = read_key(key)
        remembered = [Receipt.read(receipt)] if receipt else []
    except (BadKey, Malformed) as refusal:
        raise typer.BadParameter(str(refusal)) from refusal
    there = open_target(target)
    vault = Vault(there, pinned)
    for one in (*remembered, *([Receipt.read(kept[there.name])] if there.name in kept else [])):
        vault.check_receipt(one)
    return vault


def said(record: Record) -> str:
    made = datetime.fromtimestamp(record.made_s, UTC)
    return f"Backup {record.number} of {made:%Y-%m-%d %H:%M} UTC"


def told(console: Console, found: Iterable[Finding]) -> int:
    """Show findings, those of tampering first; how many there are of these."""
    ordered = sorted(found, key=lambda one: not one.tampered)
    for one in ordered:
        mark = "[red]TAMPERED[/]" if one.tampered else "newer   "
        console.print(f"  {mark} {escape(one.sentence)}")
    return sum(one.tampered for one in ordered)
