"""An office in a folder, behind a server on 127.0.0.1 that runs in a thread. Not a test file."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cbor2
import httpx
from oem_vehicle import BRAKE, NOW, Vehicle

from muptane.oem.fields import sha256
from muptane.oem.keystore import Cost
from muptane.oem.office import Office, Premises
from muptane.oem.web.access import Tokens
from muptane.oem.web.allowance import Allowance
from muptane.oem.web.app import FAIR, Api, Terms
from muptane.oem.web.connection import PATIENT, Patience
from muptane.oem.web.desk import Desk
from muptane.oem.web.server import Server

IMAGE = b"brake two " * 10_000
SECRET = b"nobody else may read this"
CBOR = {"Content-Type": "application/cbor"}
MINE = "/v1/vehicles/VIN1"
OTHERS = "/v1/vehicles/VIN%202%2Fb%2541"
MANIFEST, TIME, TARGETS = f"{MINE}/manifest", f"{MINE}/time", f"{MINE}/1/targets.cbor"
NONCES = cbor2.dumps([b"12345678", b"87654321"])
GENEROUS = Terms(Allowance(10_000, 0.0), Allowance(10_000, 0.0), Allowance(10_000, 0.0))


def premises(folder: Path) -> Premises:
    return Premises(folder, b"a passphrase", Cost.cheap())


class Counted:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def running(
    folder: Path,
    clock: Callable[[], int] = lambda: NOW,
    context: Any = None,
    terms: Terms = FAIR,
    patience: Patience = PATIENT,
) -> Iterator[Server]:
    """The office in `folder`, served until the end."""
    desk, tokens = Desk(premises(folder), clock), Tokens(folder)
    server = Server(Api(desk, tokens, terms, patience), context=context, patience=patience)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
        tokens.close()
        desk.close()


class Shop:
    """Two vehicles and their tokens, image 7 for everybody, image 9 confidential. The office here
    is the one that people work with; the server has its own, in the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.premises = premises(folder)
        self.office = Office.create(lambda: NOW, self.premises)
        self.office.release_image(7, IMAGE, [20], 2)
        self.office.release_image(9, SECRET, [20], 3, confidential=True)
        self.vehicles = [Vehicle("VIN1", 1), Vehicle("VIN 2/b%41", 11)]
        self.tokens = Tokens(folder)
        self.token = {}
        for vehicle in self.vehicles:
            self.office.register_vehicle(vehicle.vin, vehicle.new())
            self.token[vehicle.vin] = self.tokens.make(vehicle.vin, NOW)
        self.office.assign("VIN1", BRAKE, 7)
        self.digest = sha256(IMAGE).hex()

    def close(self) -> None:
        self.tokens.close()
        self.office.close()

    def authority(self, vin: str = "VIN1") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token[vin]}"}

    def signed(self, vehicle: Vehicle) -> bytes:
        return vehicle.manifest(self.office.director.identity)


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """What a response refuses with; all of them have the same form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    return found
