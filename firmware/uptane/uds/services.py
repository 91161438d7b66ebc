"""The services of an ECU: what each UDS request may see and do.

Sessions, identity by identifier, the routines of muptane (cycle, wants, answer, install, commit,
rollback) and the transfer services. None of them can install or re-identify anything: RID_INSTALL
puts on trial only what this ECU has verified in this cycle (S-39, E-77), identity is read-only.
RID_COMMIT and RID_ROLLBACK act on a trial of a bundle that is confirmed together, and on no other.

It does NOT do security access, DTCs or functional addressing yet.
"""

from uptane import cbor
from uptane.errors import NothingStaged, Unwanted, WrongFile
from uptane.limits import P2_MS, P2_PROGRAMMING_MS, P2_STAR_MS
from uptane.uds.codes import (
    ANSWER_ABSENT,
    ANSWER_TAKEN,
    DIAGNOSTIC_SESSION_CONTROL,
    ECU_RESET,
    HARD_RESET,
    NRC_CONDITIONS_NOT_CORRECT,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_SERVICE_NOT_IN_SESSION,
    NRC_SUB_FUNCTION_NOT_SUPPORTED,
    READ_DATA_BY_IDENTIFIER,
    REQUEST_DOWNLOAD,
    REQUEST_TRANSFER_EXIT,
    REQUEST_UPLOAD,
    RID_ANSWER,
    RID_COMMIT,
    RID_CYCLE,
    RID_ROLLBACK,
    RID_WANTS,
    ROUTINE_CONTROL,
    SESSION_DEFAULT,
    SESSION_EXTENDED,
    SESSION_PROGRAMMING,
    START_ROUTINE,
    SUPPRESS,
    TESTER_PRESENT,
    TRANSFER_DATA,
    WANTS_FILE,
    WANTS_INSTALL,
    WANTS_LATER,
    WANTS_NOTHING,
    WANTS_REFUSED,
)
from uptane.uds.server import Nrc
from uptane.uds.transfer import Transfer, file_number

if False:  # for the type checker
    from typing import Protocol

    from errand import Work
    from uptane.cycle import Cycle
    from uptane.uds.server import Handler

    class Settling(Protocol):
        """uptane.trial.Trial is one."""

        def settle(self, bundle: int, commit: bool) -> bool: ...

    class Subject(Protocol):
        """What the services act on; uptane.main.Ecu is one."""

        cycle: Cycle

        @property
        def trial(self) -> Settling: ...
        def begin_cycle(self) -> bool: ...
        def install_after_response(self) -> bool: ...
        def reset_after_response(self) -> bool: ...
        def session_changed(self, session: int) -> None: ...
        def read(self, did: int) -> bytes | None: ...
        def note(self, number: int) -> None: ...
        def staged(self) -> bool: ...


LATER_MS = 100
STATUS = 4  # where a routine's status record begins in a response


class Services:
    """`ecu` is what the services act on (uptane.main.Ecu): begin_cycle(), install(), reset(),
    read(did) -> bytes or None, note(refusal number), and its `cycle`."""

    def __init__(self, ecu: "Subject") -> None:
        self._ecu = ecu
        self._cycle = ecu.cycle
        self._transfer = Transfer(ecu.cycle, ecu.note)
        self.session = SESSION_DEFAULT
        transfer = self._transfer
        self.table = {
            DIAGNOSTIC_SESSION_CONTROL: self.change_session,
            ECU_RESET: self.reset,
            READ_DATA_BY_IDENTIFIER: self.read,
            ROUTINE_CONTROL: self.routine,
            REQUEST_DOWNLOAD: self.programming(transfer.download),
            REQUEST_UPLOAD: self.programming(transfer.upload),
            TRANSFER_DATA: self.programming(transfer.data),
            REQUEST_TRANSFER_EXIT: self.programming(transfer.finish),
            TESTER_PRESENT: self.tester_present,
        }

    def programming(self, handler: "Handler") -> "Handler":
        """The same service, but only in the programming session."""

        def guarded(request: memoryview, out: bytearray) -> "Work[int]":
            if self.session != SESSION_PROGRAMMING:
                raise Nrc(NRC_SERVICE_NOT_IN_SESSION)
            return handler(request, out)

        return guarded

    def change_session(self, request: memoryview, out: bytearray) -> "Work[int]":
        """0x10. Entering the programming session takes the application off. The time it announces
        is that of the longest stall of a flash; whatever computes is answered within P2_MS."""
        if len(request) != 2:
            raise Nrc(NRC_INCORRECT_LENGTH)
        session = sub_function(request)
        if session not in (SESSION_DEFAULT, SESSION_PROGRAMMING, SESSION_EXTENDED):
            raise Nrc(NRC_SUB_FUNCTION_NOT_SUPPORTED)
        self.enter(session)
        out[1] = session
        p2_ms = P2_PROGRAMMING_MS if session == SESSION_PROGRAMMING else P2_MS
        out[2:4] = p2_ms.to_bytes(2, "big")
        out[4:6] = (P2_STAR_MS // 10).to_bytes(2, "big")
        return 6
        yield

    def enter(self, session: int) -> None:
        """Change the session; only the programming session lets a cycle go on."""
        if session != SESSION_PROGRAMMING:
            self._transfer.stop()
            self._cycle.stop()
        self.session = session
        self._ecu.session_changed(session)

    def reset(self, request: memoryview, out: bytearray) -> "Work[int]":
        if len(request) != 2:
            raise Nrc(NRC_INCORRECT_LENGTH)
        if sub_function(request) != HARD_RESET:
            raise Nrc(NRC_SUB_FUNCTION_NOT_SUPPORTED)
        if not self._ecu.reset_after_response():
            raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        out[1] = HARD_RESET
        return 2
        yield

    def read(self, request: memoryview, out: bytearray) -> "Work[int]":
        """0x22, one identifier a request."""
        if len(request) != 3:
            raise Nrc(NRC_INCORRECT_LENGTH)
        value = self._ecu.read(request[1] << 8 | request[2])
        if value is None:
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        out[1:3] = request[1:3]
        out[3 : 3 + len(value)] = value
        return 3 + len(value)
        yield

    def tester_present(self, request: memoryview, out: bytearray) -> "Work[int]":
        if len(request) != 2:
            raise Nrc(NRC_INCORRECT_LENGTH)
        if sub_function(request):
            raise Nrc(NRC_SUB_FUNCTION_NOT_SUPPORTED)
        out[1] = 0
        return 2
        yield

    # --- routines -------------------------------------------------------------------------------

    def routine(self, request: memoryview, out: bytearray) -> "Work[int]":
        """0x31, startRoutine only."""
        if len(request) < STATUS:
            raise Nrc(NRC_INCORRECT_LENGTH)
        if sub_function(request) != START_ROUTINE:
            raise Nrc(NRC_SUB_FUNCTION_NOT_SUPPORTED)
        number = request[2] << 8 | request[3]
        if not RID_CYCLE <= number <= RID_ROLLBACK:
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        out[1] = START_ROUTINE
        out[2:STATUS] = request[2:STATUS]
        if number >= RID_COMMIT:  # in every session: an application on trial has to run
            return self._settle(request, number)
        if self.session != SESSION_PROGRAMMING:
            raise Nrc(NRC_SERVICE_NOT_IN_SESSION)
        if number == RID_WANTS:
            return (yield from self._wants(out))
        if number == RID_ANSWER:
            self._answer(request)
        elif number == RID_CYCLE:
            self._transfer.stop()
            if not self._ecu.begin_cycle():
                raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        elif not self._ecu.install_after_response():
            self._ecu.note(NothingStaged.number)
            raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        return STATUS

    def _settle(self, request: memoryview, number: int) -> int:
        if len(request) != STATUS + 4:
            raise Nrc(NRC_INCORRECT_LENGTH)
        bundle = int.from_bytes(bytes(request[STATUS:]), "big")
        if not self._ecu.trial.settle(bundle, number == RID_COMMIT):
            raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        return STATUS

    def _wants(self, out: bytearray) -> "Work[int]":
        cycle = self._cycle
        while cycle.computing():
            yield  # the main loop steps the cycle; meanwhile the server says 0x78
        want = cycle.want
        if want is not None:
            out[STATUS] = WANTS_FILE
            said = [file_number(want), want.detail, want.offset, want.cap, want.form]
            if want.until:
                said.append(want.until - want.offset)
            record = cbor.dumps(said)
            out[STATUS + 1 : STATUS + 1 + len(record)] = record
            return STATUS + 1 + len(record)
        if cycle.running():
            out[STATUS] = WANTS_LATER
            out[STATUS + 1 : STATUS + 3] = LATER_MS.to_bytes(2, "big")
            return STATUS + 3
        if cycle.refusal:
            out[STATUS] = WANTS_REFUSED
            out[STATUS + 1] = cycle.refusal
            return STATUS + 2
        out[STATUS] = WANTS_INSTALL if self._ecu.staged() else WANTS_NOTHING
        return STATUS + 1

    def _answer(self, request: memoryview) -> None:
        if len(request) != STATUS + 7:
            raise Nrc(NRC_INCORRECT_LENGTH)
        want = self._cycle.want
        if want is None:
            self._ecu.note(Unwanted.number)
            raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        if bytes(request[STATUS : STATUS + 6]) != file_number(want):
            self._ecu.note(WrongFile.number)
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        answer = request[STATUS + 6]
        if answer == ANSWER_ABSENT:
            self._cycle.answer(None)
        elif answer == ANSWER_TAKEN and want.offer is not None:
            self._cycle.answer(True)
        else:
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)


def sub_function(request: memoryview) -> int:
    """Without the bit that suppresses the response."""
    return request[1] & ~SUPPRESS
