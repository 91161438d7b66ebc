"""What has to happen between restoring an office from a backup and working in it again.

Vehicles have seen versions that were signed after the backup, and take nothing older for the rest
of their lives. How many there were nobody knows, so every role goes on far above them: one version
for each second since the backup was made. Until that has happened the office does not open. Keys
that were replaced after the backup, and metadata that a thief signed with a stolen key, are other
affairs: R-39 has Root replace the keys then.
Rules: V-71, R-39, E-39.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from muptane.oem.director import Director
from muptane.oem.errors import Malformed, NotAdvanced
from muptane.oem.image_repository import ImageRepository

if TYPE_CHECKING:
    from muptane.oem.premises import Premises

MARK = "restored.json"
SPARE = 1000  # versions, for clocks that disagree


def mark(number: int, made_s: int) -> bytes:
    """What lies in a restored folder until it has been advanced: which backup it is, and when that
    was made."""
    return (json.dumps({"backup": number, "made_s": made_s}) + "\n").encode()


def restored_at(folder: Path) -> int | None:
    """When the backup was made that `folder` was restored from and not yet advanced; None: nothing
    of the kind. Refuses with Malformed."""
    try:
        found = json.loads((folder / MARK).read_text())["made_s"]
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError) as fault:
        raise Malformed(f"{folder / MARK} does not read: {fault}") from fault
    if not isinstance(found, int):
        raise Malformed(f"{folder / MARK} has no time in it")
    return found


def check_advanced(folder: Path | None) -> None:
    """Refuses with NotAdvanced an office that was restored, until `advance` was there."""
    if folder is not None and restored_at(folder) is not None:
        raise NotAdvanced(
            f"{folder} was restored from a backup, and vehicles have seen newer versions than it"
            f" would sign: run `muptane backup advance {folder}` first"
        )


def advance(premises: "Premises", now: int) -> int:
    """Sign everything anew, with versions far enough ahead, and open the office for work; returns
    by how many versions. A second time it refuses with Malformed."""
    made_s = None if premises.folder is None else restored_at(premises.folder)
    if premises.folder is None or made_s is None:
        raise Malformed(f"{premises.folder} is no office that was restored and waits for this")
    signers = list(premises.keyring().signers().values())
    inventory = premises.inventory()
    by = max(0, now - made_s) + SPARE
    try:
        director = Director.open(inventory, signers)
        images = ImageRepository.open(premises.store(), signers)
        images.advance(by, now)
        director.advance(by, now)
    finally:
        inventory.close()
    (premises.folder / MARK).unlink()  # last: whoever is stopped before goes further ahead, again
    return by
