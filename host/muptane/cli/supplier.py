"""`muptane supplier`: the side of a first-tier supplier, who packs, signs and delivers images.

`init` makes a folder with keys and a card for the car maker; `join` takes the terms that come
back; `pack` makes a delivery, `sign` signs it, `hashes` and `words` are for a second channel.
Exit codes: 0 done, 1 refused, 2 wrong arguments. Nothing is sent: a delivery is a file.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from muptane.cli import asking, offering
from muptane.oem import packing
from muptane.oem.archive import DELIVERY_BYTES_MAX, Delivery, read_delivery
from muptane.oem.fields import U32_MAX
from muptane.oem.hash_list import digest_of, sign_list
from muptane.oem.next_steps import SUPPLIERS_STEPS
from muptane.oem.offers import Offer
from muptane.oem.pack import pack_application, pack_file
from muptane.oem.spoken import read_aloud
from muptane.oem.supplier_folder import SupplierFolder
from muptane.oem.targets import Entry, entry_of
from muptane.oem.terms import Terms
from muptane.regions import NUMBERS, Joined, joined

app = typer.Typer(help="deliver images to a car maker, as a supplier", no_args_is_help=True)
FolderOption = Annotated[
    Path, typer.Option("--folder", file_okay=False, help="that `init` made; none: this one")
]
DeliveryFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
HERE = Path(".")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(file_okay=False)],
    name: Annotated[str, typer.Option(help="of the supplier, for people")],
    keys: Annotated[int, typer.Option(min=0, help="0: the car maker signs for you")] = 1,
    threshold: Annotated[int | None, typer.Option(min=1, help="none: all keys")] = None,
    guessing: asking.CostOption = "high",
    passphrase_file: asking.PassphraseOption = None,
) -> None:
    """Make a folder with keys, and a card to send to the car maker."""
    cost = asking.cost_of(guessing)
    with asking.refusing(SUPPLIERS_STEPS):
        secret = asking.passphrase(passphrase_file, new=True), cost
        shares = (min(keys, keys if threshold is None else threshold), keys)
        made = SupplierFolder.create(folder, name, shares, secret)
        typer.echo(f"{folder / 'card.json'}: send it to the car maker; read these words to him:")
        typer.echo(read_aloud(made.card.digest()))


@app.command()
def join(
    terms: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    folder: FolderOption = HERE,
) -> None:
    """Work by the terms that the car maker sent back."""
    with asking.refusing(SUPPLIERS_STEPS):
        found = Terms.read(terms)
        SupplierFolder(folder).join(found)
        ranges = ", ".join(f"{first}-{last}" for first, last in found.ranges)
        hardware = "all" if found.hardware is None else ", ".join(map(str, found.hardware))
        typer.echo(f"Role {found.role} of {found.maker}: images {ranges}, hardware {hardware}.")
        typer.echo("He has to read you these words aloud:")
        typer.echo(read_aloud(found.digest()))


@app.command()
def delegate(
    role: offering.RoleOption,
    images: offering.ImagesOption,
    hardware: offering.HardwareOption = None,
    agreement: offering.AgreementOption = None,
    terminating: offering.TerminatingOption = False,
    days: offering.DaysOption = 90,
    terms: offering.TermsOption = HERE,
    folder: FolderOption = HERE,
) -> None:
    """Leave a part of what is yours to suppliers of your own, from the next delivery on."""
    with asking.refusing(SUPPLIERS_STEPS):
        own = SupplierFolder(folder)
        offer = Offer(
            maker=own.card.supplier,
            parties=offering.parties_of(role),
            ranges=offering.ranges_of(images),
            hardware=offering.hardware_of(hardware),
            agreement=agreement,
            terminating=terminating,
            days=days,
        )
        offering.hand_out(own.delegate(offer), terms)


@app.command()
def pack(
    delivery: Annotated[Path, typer.Argument(dir_okay=False, help="the zip file to write")],
    image: Annotated[
        list[str] | None, typer.Option(help="NUMBER=FILE or NUMBER.REGION=FILE; may be repeated")
    ] = None,
    hardware: Annotated[
        list[int] | None, typer.Option(min=0, max=U32_MAX, help="ids that the images are made for")
    ] = None,
    release: Annotated[
        int | None, typer.Option(min=0, max=U32_MAX, help="their release counter")
    ] = None,
    withdraw: Annotated[list[int] | None, typer.Option(help="images to take off the list")] = None,
    include: Annotated[
        list[Path] | None, typer.Option(exists=True, help="deliveries of suppliers below you")
    ] = None,
    add: Annotated[
        Path | None, typer.Option(exists=True, help="go on with a delivery that was not taken")
    ] = None,
    folder: FolderOption = HERE,
) -> None:
    """Make a delivery of images and what is said of them, for `sign`. It needs no keys."""
    if image and (release is None or not hardware):
        raise typer.BadParameter("an image needs --hardware and --release")
    with asking.refusing(SUPPLIERS_STEPS):
        made = packing.pack(
            SupplierFolder(folder),
            packing.Packing(
                images=_images(image or (), hardware or [], release or 0),
                withdrawn=withdraw or (),
                included=[_read(path) for path in include or ()],
                draft=None if add is None else _read(add),
            ),
            int(time.time()),
        )
        asking.write_new(delivery, made.write())
        _tell(delivery, made)


@app.command()
def sign(
    delivery: DeliveryFile,
    folder: FolderOption = HERE,
    passphrase_file: asking.PassphraseOption = None,
) -> None:
    """Sign what is in a delivery, with every key of the folder."""
    with asking.refusing(SUPPLIERS_STEPS):
        own, drafted = SupplierFolder(folder), _read(delivery)
        _tell(delivery, drafted)
        made, count = packing.sign(own, drafted, asking.passphrase(passphrase_file, new=False))
        asking.replace(delivery, made.write())
        needed = own.terms.threshold
        typer.echo(f"Signed: {count} signatures, {needed} are needed.")
        if count < needed:
            typer.echo("Pass it on to whoever else has to sign.")


@app.command()
def hashes(
    delivery: DeliveryFile,
    to: Annotated[Path, typer.Argument(dir_okay=False, help="the text file to write")],
    folder: FolderOption = HERE,
    passphrase_file: asking.PassphraseOption = None,
) -> None:
    """Write a signed list of a delivery's hashes, to be sent by another way than the delivery."""
    with asking.refusing(SUPPLIERS_STEPS):
        contact = SupplierFolder(folder).contact(asking.passphrase(passphrase_file, new=False))
        asking.write_new(to, sign_list(_read(delivery), contact).encode())
        typer.echo(f"{to}: send it by another way than {delivery}")


@app.command()
def words(delivery: DeliveryFile) -> None:
    """The words of a delivery's hashes, to be read aloud to the car maker."""
    with asking.refusing(SUPPLIERS_STEPS):
        typer.echo(read_aloud(digest_of(_read(delivery))))


def _read(path: Path) -> Delivery:
    with path.open("rb") as file:
        return read_delivery(file.read(DELIVERY_BYTES_MAX + 1))


def _images(
    said: list[str] | tuple[str, ...], hardware: list[int], release: int
) -> dict[int, tuple[Entry, bytes]]:
    """Images by number, of one or more parts. BadParameter."""
    parts: dict[int, dict[str, Path]] = {}
    for text in said:
        name, _, path = text.partition("=")
        number, _, region = name.partition(".")
        if not number.isdecimal() or not path or (region or "application") not in NUMBERS:
            raise typer.BadParameter(f"--image {text!r}: say NUMBER=FILE or NUMBER.REGION=FILE")
        if not Path(path).exists():
            raise typer.BadParameter(f"--image {text!r}: there is no file {path}")
        parts.setdefault(int(number), {})[region or "application"] = Path(path)
    made = {}
    for one, files in parts.items():
        whole = _joined(one, files)
        made[one] = (entry_of(whole, hardware, release), whole.content)
    return made


def _joined(number: int, files: dict[str, Path]) -> Joined:
    contents = {
        NUMBERS[region]: pack_application(path) if path.is_dir() else pack_file(path)
        for region, path in files.items()
    }
    try:
        return joined(contents)
    except ValueError as fault:
        raise typer.BadParameter(f"--image {number}: {fault}") from fault


def _tell(path: Path, delivery: Delivery) -> None:
    """What a person should see before he signs or sends it."""
    said = delivery.contents
    typer.echo(f"{path}: {said.supplier}, role {said.role}")
    for role in said.roles:
        typer.echo(f"  role {role.role} version {role.version}")
    for image in said.images:
        hardware = ", ".join(map(str, image.hardware))
        typer.echo(
            f"  image {image.number}: {image.length} bytes, hardware {hardware}, release"
            f" {image.release}, SHA-256 {image.sha256}"
        )
