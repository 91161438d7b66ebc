"""`muptane oem`: the car maker's back office in a folder.

`init` makes the office; `supplier add` leaves images to suppliers; `receive` takes a delivery or
refuses it, and says exactly what it verified; `deliveries` tells of all that came, `anomalies` of
what vehicles sent and a person should look at. The rest of the noun is in `serving`, `releasing`
and `campaigning`. Exit codes: 0 done, 1 refused, 2 wrong arguments.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from muptane.cli import asking, campaigning, offering, releasing, serving
from muptane.cli.offices import HERE, OfficeOption, at_work, looking, now
from muptane.oem import hash_list
from muptane.oem.anomalies import anomalies
from muptane.oem.contracts import REFUSED, agreements
from muptane.oem.intake import Receipt, history
from muptane.oem.next_steps import STEPS
from muptane.oem.offers import Offer
from muptane.oem.office import Office
from muptane.oem.premises import Premises
from muptane.oem.spoken import read_aloud
from muptane.oem.terms import Card
from muptane.refusals import explain
from uptane import algorithms

app = typer.Typer(help="run the car maker's back office", no_args_is_help=True)
suppliers = typer.Typer(help="who may deliver which images", no_args_is_help=True)
app.add_typer(suppliers, name="supplier")
app.add_typer(serving.app)
app.add_typer(releasing.app)
app.add_typer(campaigning.app)
app.add_typer(campaigning.campaigns, name="campaign")

ALGORITHMS = {"eddsa": algorithms.ALG_EDDSA, "es256": algorithms.ALG_ES256}
DAY_S = 86400


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(file_okay=False)],
    algorithm: Annotated[str, typer.Option(help="of the keys: eddsa or es256")] = "eddsa",
    guessing: asking.CostOption = "high",
    passphrase_file: asking.PassphraseOption = None,
) -> None:
    """Make an office: keys, Director, Image repository and inventory."""
    if algorithm not in ALGORITHMS:
        raise typer.BadParameter(f"--algorithm {algorithm}: say eddsa or es256")
    if folder.exists() and any(folder.iterdir()):
        raise typer.BadParameter(f"{folder} is not empty; an office needs a folder of its own")
    cost = asking.cost_of(guessing)
    with asking.refusing(STEPS):
        premises = Premises(folder, asking.passphrase(passphrase_file, new=True), cost)
        office = Office.create(now, premises, algorithm=ALGORITHMS[algorithm])
        typer.echo(f"{folder}: the Image repository is {office.images.identity.hex()}")
        office.close()


@suppliers.command()
def add(
    role: offering.RoleOption,
    images: offering.ImagesOption,
    maker: Annotated[str, typer.Option(help="your name, for people")] = "the car maker",
    hardware: offering.HardwareOption = None,
    agreement: offering.AgreementOption = None,
    terminating: offering.TerminatingOption = False,
    days: offering.DaysOption = 90,
    vouched: Annotated[
        bool, typer.Option("--vouched", help="each delivery needs --hashes or --words")
    ] = False,
    terms: offering.TermsOption = HERE,
    office: OfficeOption = HERE,
    passphrase_file: asking.PassphraseOption = None,
) -> None:
    """Leave images to a supplier, or to several who have to agree, and write terms for them."""
    with asking.refusing(STEPS):
        offer = Offer(
            maker=maker,
            parties=offering.parties_of(role),
            ranges=offering.ranges_of(images),
            hardware=offering.hardware_of(hardware),
            agreement=agreement,
            terminating=terminating,
            days=days,
            vouches=vouched,
        )
        with at_work(office, passphrase_file) as opened:
            offering.hand_out(opened.intake.agree(offer), terms)


@suppliers.command()
def words(card: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """The words of a supplier's card: before `add`, he has to read them to you by telephone."""
    with asking.refusing(STEPS):
        found = Card.read(card)
        typer.echo(f"{found.supplier}: {found.threshold} of {len(found.keys)} keys sign")
        typer.echo(read_aloud(found.digest()))


@suppliers.command("list")
def list_suppliers(office: OfficeOption = HERE) -> None:
    """What is left to whom."""
    with looking(office) as inventory:
        for role, agreed in agreements(inventory).items():
            terms, delegation = agreed.terms, agreed.delegation
            ranges = ", ".join(f"{first}-{last}" for first, last in terms.ranges)
            hardware = "all" if terms.hardware is None else ", ".join(map(str, terms.hardware))
            signs = f"{terms.threshold} keys sign" if terms.signs else "the car maker signs"
            typer.echo(
                f"role {role}: {terms.supplier}: images {ranges}, hardware {hardware};"
                f" {signs}, {terms.days} days" + ("; hashes are vouched for" * terms.vouches)
            )
            if delegation.agreement is not None:
                roles = " and ".join(map(str, delegation.numbers()))
                typer.echo(f"  {delegation.agreement} of role {roles} have to agree")


@app.command()
def receive(
    delivery: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    hashes: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="the supplier's signed list of hashes"),
    ] = None,
    words: Annotated[
        bool, typer.Option("--words", help="type what the supplier reads aloud by telephone")
    ] = False,
    office: OfficeOption = HERE,
    passphrase_file: asking.PassphraseOption = None,
) -> None:
    """Take a supplier's delivery into the Image repository, or refuse it; both are recorded."""
    if hashes is not None and words:
        raise typer.BadParameter("one second channel will do: say --hashes or --words")
    confirm = hash_list.by_words(_hear) if words else hash_list.nothing
    if hashes is not None:
        with hashes.open("rb") as file:
            confirm = hash_list.by_list(file.read(hash_list.LIST_BYTES_MAX + 1))
    with asking.refusing(STEPS), at_work(office, passphrase_file) as opened:
        _show(opened.intake.receive(delivery, confirm))


@app.command()
def deliveries(
    office: OfficeOption = HERE,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="write them to this file, too")
    ] = None,
) -> None:
    """What was received and what was refused, and why; oldest first."""
    with looking(office) as inventory:
        found = history(inventory)
    for receipt in found:
        _show(receipt)
    if not found:
        typer.echo("No delivery has come yet.")
    if json_file is not None:
        rows = [{**vars(one), "sha256": one.sha256.hex()} for one in found]
        asking.replace(json_file, json.dumps(rows, indent=1).encode())


@app.command("anomalies")
def show_anomalies(
    office: OfficeOption = HERE,
    vehicle: Annotated[str | None, typer.Option(help="this one alone")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="the last so many")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="write them to this file, too")
    ] = None,
) -> None:
    """Manifests that were refused, what is odd about others, and what ECUs have refused; oldest
    first."""
    since_s = 0 if days is None else now() - days * DAY_S
    with looking(office) as inventory:
        found = anomalies(inventory, vehicle, since_s)
    for one in found:
        what = one.sentence
        if one.refusal is not None:
            what = f"ECU {one.ecu} refused {one.refusal}: {explain(one.refusal)}"
        when = datetime.fromtimestamp(one.seen_s, UTC)
        typer.echo(f"{when:%Y-%m-%d %H:%M:%S} {ascii(one.vehicle)[1:-1]}: {what}")
    if not found:
        typer.echo("Nothing that anybody has to look at.")
    if json_file is not None:
        asking.replace(json_file, json.dumps([vars(one) for one in found], indent=1).encode())


@app.command()
def refresh(office: OfficeOption = HERE, passphrase_file: asking.PassphraseOption = None) -> None:
    """Sign a fresh Timestamp, and what the car maker signs for suppliers if it is getting old."""
    with asking.refusing(STEPS), at_work(office, passphrase_file) as opened:
        opened.intake.refresh()


def _hear(count: int) -> str:
    """What somebody types until there are so many words, or nothing more."""
    typer.echo(f"The supplier runs `muptane supplier words` and reads {count} words aloud.")
    heard: list[str] = []
    while len(heard) < count:
        line = typer.prompt(f"Words from {len(heard) + 1} on", default="", show_default=False)
        said = re.findall(r"[A-Za-z]+", line)
        if not said:
            break
        heard += said
    return " ".join(heard)


def _show(receipt: Receipt) -> None:
    """In lines of plain ASCII: names in it may be a stranger's."""
    when = datetime.fromtimestamp(receipt.arrived_s, UTC)
    role = "" if receipt.role is None else f", role {receipt.role} ({receipt.supplier})"
    why = f" {receipt.refusal}" if receipt.outcome == REFUSED else ""
    typer.echo(f"{when:%Y-%m-%d %H:%M:%S} {receipt.outcome}{why}: {receipt.name}{role}")
    typer.echo(f"  SHA-256 {receipt.sha256.hex()}")
    for sentence in receipt.sentences:
        typer.echo(f"  {sentence}")
