"""An office with suppliers on a disk, for the tests of deliveries. Not a test file.

`Trade` has a supplier of brakes with two keys (role 20, images 200 to 299 on hardware 20 and 21)
and one of wipers for whom the office signs (role 24, images 400 to 499). A delivery is packed and
signed as the commands do it, or `forged`: whatever Targets a test wants, by whatever keys.
"""

from collections.abc import Callable
from pathlib import Path

from oem_vehicle import NOW

from muptane.oem import hash_list
from muptane.oem.archive import Delivery
from muptane.oem.authority import DAY_S
from muptane.oem.intake import Receipt, history
from muptane.oem.keys import Holders, Signer
from muptane.oem.keystore import Cost
from muptane.oem.metadata import sign_role
from muptane.oem.offers import Offer, Party
from muptane.oem.office import Office, Premises
from muptane.oem.packing import Packing, pack, sign
from muptane.oem.supplier_folder import SupplierFolder
from muptane.oem.targets import Entry, Targets, entry_of

PASSPHRASE = b"a passphrase of tests"
BRAKES, WIPERS = 20, 24
LATER = NOW + 80 * DAY_S


def image(content: bytes, hardware: tuple[int, ...] = (20,), release: int = 3):
    """An image with its entry, as a delivery carries it."""
    return entry_of(content, hardware, release), content


class Trade:
    """See above. `office` stands on the disk in `folder`, the suppliers beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.premises = Premises(folder / "office", PASSPHRASE, Cost.cheap())
        self.office = Office.create(self.now, self.premises)
        self.clock = NOW
        self.brakes = self.supplier("Brakes Ltd", (2, 2))
        self.wipers = self.supplier("Wipers SA", (0, 0))
        self.hire(self.brakes, BRAKES, ((200, 299),), hardware=(20, 21))
        self.hire(self.wipers, WIPERS, ((400, 499),))

    def now(self) -> int:
        return getattr(self, "clock", NOW)

    def supplier(self, name: str, shares: tuple[int, int]) -> SupplierFolder:
        folder = self.folder / name.replace(" ", "-")
        return SupplierFolder.create(folder, name, shares, (PASSPHRASE, Cost.cheap()))

    def hire(self, who: SupplierFolder, role: int, ranges, **more) -> None:
        offer = Offer("Maker", (Party(role, (who.card,)),), ranges, **more)
        (terms,) = self.office.intake.agree(offer)
        who.join(terms)

    def signed(self, who: SupplierFolder, packing: Packing) -> Delivery:
        return sign(who, pack(who, packing, self.clock), PASSPHRASE)[0]

    def brake(self, number: int = 203, release: int = 3, **more) -> Delivery:
        """A delivery of one brake."""
        content = b"brake %d" % number
        images = {number: image(content, release=release)}
        return self.signed(self.brakes, Packing(images=images, **more))

    def wiper(self, number: int = 400, release: int = 1) -> Delivery:
        """A delivery of one wiper, which is images alone."""
        images = {number: image(b"wiper %d" % number, (40,), release)}
        return pack(self.wipers, Packing(images=images), self.clock)

    def receive(self, delivery: Delivery | bytes, confirm=hash_list.nothing) -> Receipt:
        raw = delivery if isinstance(delivery, bytes) else delivery.write()
        path = self.folder / "delivery.zip"
        path.write_bytes(raw)
        return self.office.intake.receive(path, confirm)

    def vouched(self, delivery: Delivery) -> Callable[..., str | None]:
        """The list that Wipers SA sends by another way."""
        contact = self.wipers.contact(PASSPHRASE)
        return hash_list.by_list(hash_list.sign_list(delivery, contact).encode())

    def forged(self, images, signers: list[Signer] | None = None, **fields) -> Delivery:
        """Whatever `fields` say, signed by the keys of Brakes Ltd or by others."""
        listed = {number: entry for number, (entry, _) in images.items()}
        said = {"version": 9, "expires": LATER, "number": BRAKES, "images": listed, **fields}
        made = Targets(**said)
        holders = Holders.of(*(signers or self.brakes.signers(PASSPHRASE)))
        raw = sign_role(made, holders, self.office.images.identity)
        contents = {number: (entry, raw) for number, (entry, raw) in images.items() if raw}
        return Delivery.of(("Brakes Ltd", BRAKES), {(made.number, made.version): raw}, contents)

    def found(self, number: int, hardware: int) -> Entry | None:
        return self.office.images.find(number, [hardware])

    def reopen(self) -> None:
        self.office.close()
        self.office = Office.open(self.now, self.premises)

    def history(self) -> list[Receipt]:
        return history(self.office.inventory)

    def files(self) -> dict[str, bytes]:
        """Everything that is published."""
        folder = self.folder / "office/images/current"
        return {path.name: path.read_bytes() for path in folder.iterdir()}
