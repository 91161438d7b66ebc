"""udsdoc builds a state machine from requirements, and walks every transition of it on our ECU.

requirements.csv says what the ECU promises; udsdoc makes sessions, identifiers and their states of
it, and two suites: all transitions of the model, and its own catalogue of requests.
Every verdict counts; one of udsdoc's that is not ISO 14229-1's would stand here with its reason.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import isotp
import pytest
from foreign import PARAMETERS, Running
from udsdoc.compliance_matrix import load_compliance_matrix_document
from udsdoc.ecu_test.executor import EcuTestExecutor
from udsdoc.ecu_test.formal_generator import generate_formal_test_suite
from udsdoc.ecu_test.generator import generate_test_suite
from udsdoc.ecu_test.transport import UdsConnection
from udsdoc.matrix_synthesis import build_spec_from_matrix

from muptane.bench.join.plugin import MuptaneBus

REQUIREMENTS = Path(__file__).with_name("requirements.csv")
DOOR = (0x7E2, 0x7EA)


class Connection(UdsConnection):
    """udsdoc's own connection sleeps two seconds a step; this one waits for the answer."""

    def __init__(self, channel: str) -> None:
        self._channel = channel

    def open(self) -> None:
        self._bus = MuptaneBus(self._channel, name="udsdoc")
        address = isotp.Address(txid=DOOR[0], rxid=DOOR[1])
        self._stack = isotp.CanStack(self._bus, address=address, params=PARAMETERS)
        self._stack.start()

    def close(self) -> None:
        self._stack.stop()
        self._bus.shutdown()

    def send(self, data: bytes) -> None:
        self._stack.send(data, send_timeout=5)

    def recv(self, timeout: float = 2.0) -> bytes | None:
        got = self._stack.recv(block=True, timeout=timeout)
        return None if got is None else bytes(got)


@pytest.fixture(scope="module")
def promised() -> Any:
    document = load_compliance_matrix_document([REQUIREMENTS])
    return build_spec_from_matrix(document, ecu_name="door", domain="both")


@pytest.fixture
def executor(vehicle: Running) -> Iterator[EcuTestExecutor]:
    with EcuTestExecutor(Connection(vehicle.channel), key_functions={}) as one:
        yield one


def failures(suite: Any) -> dict[str, str]:
    """What did not go as udsdoc expects: {title: request, response, why}."""
    failed = [
        (result.tc.title, step)
        for result in suite.results
        for step in result.step_results
        if not step.passed
    ]
    return {
        title: f"{one.step.request.hex()} gave {(one.actual_response or b'').hex()}: {one.error}"
        for title, one in failed
    }


def test_every_transition_of_the_model_is_as_promised(
    executor: EcuTestExecutor, promised: Any
) -> None:
    cases = generate_formal_test_suite(promised)
    suite = executor.run(cases, spec_name="door", interface="muptane", channel="")
    with REQUIREMENTS.open() as file:
        identifiers = sum("did:" in row["traces_to"] for row in csv.DictReader(file))
    assert failures(suite) == {}
    # In each session: to all of them, each identifier, DTCs read in two ways and cleared.
    assert len(suite.results) == 3 * (3 + identifiers + 3)


def test_the_catalogue_of_requests_goes_as_expected(
    executor: EcuTestExecutor, promised: Any
) -> None:
    cases = generate_test_suite(promised)
    suite = executor.run(cases, spec_name="door", interface="muptane", channel="")
    assert failures(suite) == {}
    with REQUIREMENTS.open() as file:
        identifiers = sum("did:" in row["traces_to"] for row in csv.DictReader(file))
    assert len(suite.results) == 3 + identifiers + 3  # sessions, and DTCs
