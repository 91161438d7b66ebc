"""What a workshop does besides an update, by a diagnostic stack that nobody here wrote: udsoncan.

In real time, as test_foreign_stack.
"""

from collections.abc import Iterator
from typing import Any

import foreign
import pytest
from foreign import Running, attach
from test_foreign_stack import DID_ECU, DID_VIN, DOOR, SEDAN, read, refused
from udsoncan import CommunicationType, Dtc
from udsoncan.client import Client

from muptane.bench.factory import access_of
from uptane import errors
from uptane.crypto import hmac
from uptane.crypto.suite import Suite

DID_FINGERPRINT, DID_SESSION = 0xF15A, 0xF186
SECRET = access_of(SEDAN, DOOR)
HMAC_SHA_256 = bytes.fromhex("06082a864886f70d0209") + bytes(6)


@pytest.fixture(scope="module")
def vehicle() -> Iterator[Running]:
    with Running("--port", "0", "--nodes", foreign.NODES) as running:
        yield running


@pytest.fixture
def client(vehicle: Running) -> Iterator[Client]:
    """In the programming session of the door."""
    with attach(vehicle.channel, DOOR) as one:
        one.change_session(2)
        yield one
        one.change_session(1)


def proof(service: int, challenge: bytes) -> bytes:
    return hmac.tag(Suite().sha256, SECRET, (bytes((service,)), challenge))


def key_of(level: int, seed: bytes, params: Any) -> bytes:
    """The algorithm that udsoncan is given."""
    return proof(0x27, seed)


def write(client: Client) -> None:
    client.write_data_by_identifier(DID_FINGERPRINT, b"udsoncan")


def test_several_identifiers_come_in_one_response(client: Client) -> None:
    sizes = {DID_ECU: "4s", DID_VIN: "17s", DID_SESSION: "B"}
    client.set_config("data_identifiers", sizes)
    values = client.read_data_by_identifier([*sizes]).service_data.values
    assert values[DID_ECU] == ((3).to_bytes(4, "big"),)
    assert values[DID_VIN] == (SEDAN.vin.encode(),)
    assert values[DID_SESSION] == (2,)


def test_security_access_opens_the_fingerprint(client: Client) -> None:
    assert refused(write, client) == 0x33
    client.set_config("security_algo", key_of)
    client.unlock_security_access(1)
    write(client)
    assert read(client, DID_FINGERPRINT) == b"udsoncan"
    client.unlock_security_access(1)  # a seed of zeros: udsoncan sends no key
    client.change_session(2)
    assert refused(write, client) == 0x33
    client.request_seed(1)
    assert refused(client.send_key, 2, bytes(32)) == 0x35
    assert refused(client.send_key, 2, bytes(32)) == 0x24


def test_authentication_opens_it_as_well(client: Client) -> None:
    assert client.authentication_configuration().service_data.return_value == 4
    given = client.request_challenge_for_authentication(0, HMAC_SHA_256).service_data
    assert given.algorithm_indicator == HMAC_SHA_256
    answer = proof(0x29, given.challenge_server)
    proved = client.verify_proof_of_ownership_unidirectional(HMAC_SHA_256, answer).service_data
    assert proved.return_value == 0x12
    write(client)
    client.deauthenticate()
    assert refused(write, client) == 0x33


def test_dtcs_are_read_and_cleared(client: Client) -> None:
    assert refused(client.transfer_data, 1, b"x") == 0x24
    unwanted = 0xD10000 | errors.Unwanted.number << 8
    found = client.get_dtc_by_status_mask(0xFF).service_data
    assert {dtc.id: dtc.status.get_byte_as_int() for dtc in found.dtcs} == {unwanted: 0x2B}
    count = client.get_number_of_dtc_by_status_mask(0x08).service_data
    assert count.dtc_count == 1 and count.dtc_format == Dtc.Format.ISO14229_1
    client.control_dtc_setting(2)
    client.clear_dtc()
    assert refused(client.transfer_data, 1, b"x") == 0x24
    assert client.get_dtc_by_status_mask(0xFF).service_data.dtc_count == 0
    client.control_dtc_setting(1)
    assert refused(client.transfer_data, 1, b"x") == 0x24
    assert client.get_dtc_by_status_mask(0x01).service_data.dtc_count == 1
    assert unwanted in {dtc.id for dtc in client.get_supported_dtc().service_data.dtcs}
    assert read(client, 0xFD03) == bytes((errors.Unwanted.number,))


def test_communication_is_controlled(client: Client) -> None:
    normal = CommunicationType(subnet=0, normal_msg=True)
    for control in (3, 1, 0):
        assert (
            client.communication_control(control, normal).service_data.control_type_echo == control
        )
    networks = CommunicationType(subnet=0, normal_msg=False, network_management_msg=True)
    assert refused(client.communication_control, 3, networks) == 0x31


def test_a_cycle_is_stopped(client: Client) -> None:
    assert refused(client.stop_routine, foreign.RID_CYCLE) == 0x24
    foreign.status(client, foreign.RID_CYCLE)
    client.get_routine_result(foreign.RID_CYCLE)
    client.stop_routine(foreign.RID_CYCLE)
    assert refused(client.stop_routine, foreign.RID_WANTS) == 0x12
