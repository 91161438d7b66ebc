"""What a workshop asks of an ECU beside its update: DTCs, communication control, a fingerprint.

Every refusal that the ECU noted is a DTC: DTC_GROUP, its number, DTC_FAILURE_TYPE. What they are
is derived: confirmed is what the list for the next version report names, and what failed in this
life is remembered here. Clearing hides them until they happen again, or until the next reset; it
never touches that list, which only the Director shortens (E-76). While the setting of DTCs is off
none gets a status bit, and the attack is noted for the report all the same.

It does NOT store anything: nobody without a key makes the flash wear (E-89). Security access
(`uptane.uds.access`) protects the fingerprint, and nothing that an update depends on (S-39, T-55).
Rules: S-39, E-76, E-89.
"""

from uptane import errors
from uptane.limits import FINGERPRINT_BYTES_MAX
from uptane.uds.access import Access
from uptane.uds.codes import (
    CLEAR_DIAGNOSTIC_INFORMATION,
    COMMUNICATION_CONTROL,
    CONTROL_DTC_SETTING,
    DID_FINGERPRINT,
    DISABLE_RX_AND_ENABLE_TX,
    DISABLE_RX_AND_TX,
    DTC_BY_STATUS_MASK,
    DTC_FAILURE_TYPE,
    DTC_FORMAT,
    DTC_GROUP,
    DTC_SETTING_OFF,
    DTC_SETTING_ON,
    ENABLE_RX_AND_DISABLE_TX,
    ENABLE_RX_AND_TX,
    NRC_CONDITIONS_NOT_CORRECT,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_RESPONSE_TOO_LONG,
    NUMBER_OF_DTC_BY_STATUS_MASK,
    READ_DTC_INFORMATION,
    SESSION_DEFAULT,
    STATUS_AVAILABLE,
    STATUS_CONFIRMED,
    STATUS_FAILED,
    STATUS_FAILED_SINCE_CLEAR,
    STATUS_FAILED_THIS_CYCLE,
    SUPPORTED_DTC,
    WRITE_DATA_BY_IDENTIFIER,
)
from uptane.uds.server import ANYWHERE, BEYOND_DEFAULT, IN_PROGRAMMING, SECURED, Nrc

if False:  # for the type checker
    from typing import Any, Protocol

    from shapes import Board
    from uptane.application import Application
    from uptane.identity import Identity
    from uptane.report import Reports
    from uptane.uds.services import Services

    class Patient(Protocol):
        """uptane.main.Ecu is one."""

        board: Board
        identity: Identity
        reports: Reports
        application: Application


THREE = BEYOND_DEFAULT | 3
NO_TX = 1  # bit of a sub-function of 0x28
NORMAL = 1  # bit of a communication type: what applications send
ALL_NETWORKS = 0x00  # high half of a communication type: all, or that of the request
THIS_NETWORK = 0xF0
HEAD = 3  # a list of DTCs begins so far into a response
ROWS = (
    (CLEAR_DIAGNOSTIC_INFORMATION, "clear", ANYWHERE | 4, ()),
    (
        READ_DTC_INFORMATION,
        "read",
        ANYWHERE | 2,
        (
            (NUMBER_OF_DTC_BY_STATUS_MASK, ANYWHERE | 3),
            (DTC_BY_STATUS_MASK, ANYWHERE | 3),
            (SUPPORTED_DTC, ANYWHERE | 2),
        ),
    ),
    (
        COMMUNICATION_CONTROL,
        "control",
        BEYOND_DEFAULT | 2,
        (
            (ENABLE_RX_AND_TX, THREE),
            (ENABLE_RX_AND_DISABLE_TX, THREE),
            (DISABLE_RX_AND_ENABLE_TX, THREE),
            (DISABLE_RX_AND_TX, THREE),
        ),
    ),
    (WRITE_DATA_BY_IDENTIFIER, "write", IN_PROGRAMMING | SECURED | 4, ()),
    (
        CONTROL_DTC_SETTING,
        "set",
        BEYOND_DEFAULT | 2,
        ((DTC_SETTING_ON, BEYOND_DEFAULT | 2), (DTC_SETTING_OFF, BEYOND_DEFAULT | 2)),
    ),
)


class Diagnosis:
    """Adds its services to the tables of `services`; is told of every refusal, and of sessions."""

    def __init__(self, ecu: "Patient", services: "Services") -> None:
        self._ecu = ecu
        self._services = services
        self._seen: list[int] = []  # in this life, since they were cleared
        self._hidden: list[int] = []  # cleared, or noted while the setting is off
        self._on = True
        self.fingerprint = b""
        self._access = Access(ecu, services)
        services.tables.append((self, ROWS))

    def session_changed(self, session: int) -> None:
        """The default session takes back what a tester has switched off."""
        self._access.forget()
        if session == SESSION_DEFAULT:
            self._on = True
            self._ecu.application.muted = False

    def noted(self, number: int) -> None:
        """A refusal is about to be noted for the report."""
        if self._on:
            drop(self._hidden, number)
            if number not in self._seen:
                self._seen.append(number)
        elif number not in self._ecu.reports.attacks:
            self._hide(number)

    def _hide(self, number: int) -> None:
        if number not in self._hidden:
            self._hidden.append(number)

    def status(self, number: int) -> int:
        """The status bits of a DTC."""
        known = number in self._ecu.reports.attacks and number not in self._hidden
        bits = STATUS_CONFIRMED | STATUS_FAILED_SINCE_CLEAR if known else 0
        if number in self._seen:
            bits |= STATUS_FAILED_THIS_CYCLE | STATUS_FAILED_SINCE_CLEAR
            bits |= STATUS_FAILED if known else 0  # until the Director knows of it
        return bits

    def clear(self, request: memoryview, out: bytearray) -> int:
        """0x14: all DTCs, or one."""
        if len(request) != 4:
            raise Nrc(NRC_INCORRECT_LENGTH)
        gone = numbers()
        if bytes(request[1:]) != b"\xff\xff\xff":
            if request[1] != DTC_GROUP or request[3] != DTC_FAILURE_TYPE or request[2] not in gone:
                raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
            gone = [request[2]]
        if self._services.session == SESSION_DEFAULT:
            raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        for number in gone:
            drop(self._seen, number)
            self._hide(number)
        return 1

    def read(self, request: memoryview, out: bytearray) -> int:
        """0x19: how many have a status bit of a mask, which, and all that there can be."""
        found = numbers()
        what = out[1]
        if what != SUPPORTED_DTC:
            mask = request[2] & STATUS_AVAILABLE
            found = [number for number in found if self.status(number) & mask]
        out[2] = STATUS_AVAILABLE
        if what == NUMBER_OF_DTC_BY_STATUS_MASK:
            out[3] = DTC_FORMAT
            out[4] = 0
            out[5] = len(found)
            return 6
        at = HEAD
        if at + 4 * len(found) > len(out):
            raise Nrc(NRC_RESPONSE_TOO_LONG)
        for number in found:
            out[at] = DTC_GROUP
            out[at + 1] = number
            out[at + 2] = DTC_FAILURE_TYPE
            out[at + 3] = self.status(number)
            at += 4
        return at

    def set(self, request: memoryview, out: bytearray) -> int:
        """0x85"""
        self._on = out[1] == DTC_SETTING_ON
        return 2

    def control(self, request: memoryview, out: bytearray) -> int:
        """0x28: whether the application may send. What it would hear there is nothing of."""
        kind = request[2]
        if kind & 0xF0 not in (ALL_NETWORKS, THIS_NETWORK) or kind & 0x0F not in (1, 3):
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        self._ecu.application.muted = out[1] & NO_TX > 0
        return 2

    def write(self, request: memoryview, out: bytearray) -> int:
        """0x2E: the fingerprint. Nothing trusts it, and a reset forgets it."""
        if request[1] << 8 | request[2] != DID_FINGERPRINT:
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        if len(request) > 3 + FINGERPRINT_BYTES_MAX:
            raise Nrc(NRC_INCORRECT_LENGTH)
        self.fingerprint = bytes(request[3:])
        out[1:3] = request[1:3]
        return 3


def numbers() -> "list[int]":
    """Of every refusal there is, in order."""
    known: "list[Any]" = [getattr(errors, name) for name in dir(errors)]
    return sorted([one.number for one in known if getattr(one, "number", 0)])


def drop(numbers: "list[int]", number: int) -> None:
    if number in numbers:
        numbers.remove(number)
