"""The services of every ECU: what each UDS request may see and do.

Sessions, identity by identifier, the routines of muptane (cycle, wants, answer, install, commit,
rollback) and the transfer services. None of them can install or re-identify anything: RID_INSTALL
puts on trial only what this ECU has verified in this cycle (S-39, E-77), identity is read-only.
RID_COMMIT and RID_ROLLBACK act on a trial of a bundle that is confirmed together, and on no other.

`Services.tables` is what `uptane.uds.server` goes by; DTCs, security access and what else a
workshop asks for are added to it by `uptane.uds.diagnosis` where an ECU has that.
"""

from uptane import cbor
from uptane.errors import NothingStaged, Unwanted, WrongFile
from uptane.limits import P2_MS, P2_PROGRAMMING_MS, P2_STAR_MS
from uptane.uds.codes import (
    ANSWER_ABSENT,
    ANSWER_TAKEN,
    DIAGNOSTIC_SESSION_CONTROL,
    DID_SESSION,
    ECU_RESET,
    HARD_RESET,
    KEY_OFF_ON_RESET,
    NRC_CONDITIONS_NOT_CORRECT,
    NRC_INCORRECT_LENGTH,
    NRC_REQUEST_OUT_OF_RANGE,
    NRC_REQUEST_SEQUENCE_ERROR,
    NRC_RESPONSE_TOO_LONG,
    NRC_SUB_FUNCTION_NOT_SUPPORTED,
    READ_DATA_BY_IDENTIFIER,
    REQUEST_DOWNLOAD,
    REQUEST_ROUTINE_RESULTS,
    REQUEST_TRANSFER_EXIT,
    REQUEST_UPLOAD,
    RID_ANSWER,
    RID_COMMIT,
    RID_CYCLE,
    RID_LISTEN,
    RID_ROLLBACK,
    RID_WANTS,
    ROUTINE_CONTROL,
    SESSION_DEFAULT,
    SESSION_EXTENDED,
    SESSION_PROGRAMMING,
    SOFT_RESET,
    START_ROUTINE,
    STOP_ROUTINE,
    TESTER_PRESENT,
    TRANSFER_DATA,
    WANTS_FILE,
    WANTS_INSTALL,
    WANTS_LATER,
    WANTS_NOTHING,
    WANTS_REFUSED,
)
from uptane.uds.server import ANYWHERE, IN_DEFAULT, IN_PROGRAMMING, SECURED, Nrc
from uptane.uds.transfer import file_number

if False:  # for the type checker
    from typing import Protocol

    from errand import Work
    from uptane.cycle import Cycle
    from uptane.uds.server import Row
    from uptane.uds.transfer import Transfer

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
TWO = ANYWHERE | 2  # in every session, two bytes
STATUS = 4  # where a routine's status record begins in a response
ROWS = (
    (
        DIAGNOSTIC_SESSION_CONTROL,
        "change_session",
        TWO,
        ((SESSION_DEFAULT, TWO), (SESSION_PROGRAMMING, TWO), (SESSION_EXTENDED, TWO)),
    ),
    (
        ECU_RESET,
        "reset",
        TWO,
        ((HARD_RESET, TWO), (KEY_OFF_ON_RESET, TWO), (SOFT_RESET, TWO)),
    ),
    (READ_DATA_BY_IDENTIFIER, "read", ANYWHERE | 3, ()),
    (
        ROUTINE_CONTROL,
        "routine",
        ANYWHERE | STATUS,
        ((START_ROUTINE, ANYWHERE), (STOP_ROUTINE, ANYWHERE), (REQUEST_ROUTINE_RESULTS, ANYWHERE)),
    ),
    (TESTER_PRESENT, "tester_present", TWO, ((0, TWO),)),
)
OF_FILES = (
    (REQUEST_DOWNLOAD, "download", IN_PROGRAMMING | 3, ()),
    (REQUEST_UPLOAD, "upload", IN_PROGRAMMING | 3, ()),
    (TRANSFER_DATA, "data", IN_PROGRAMMING | 2, ()),
    (REQUEST_TRANSFER_EXIT, "finish", IN_PROGRAMMING | 1, ()),
)


class Services:
    """`ecu` is what the services act on (uptane.main.Ecu): begin_cycle(), install(), reset(),
    read(did) -> bytes or None, note(refusal number), and its `cycle`. The main loop steps
    `transfer`."""

    def __init__(self, ecu: "Subject", transfer: "Transfer") -> None:
        self._ecu = ecu
        self._cycle = ecu.cycle
        self.transfer = transfer
        self.session = SESSION_DEFAULT
        self.state = IN_DEFAULT  # and SECURED, while security is unlocked
        self.tables: list[tuple[object, tuple[Row, ...]]] = [(self, ROWS), (transfer, OF_FILES)]

    def tester_present(self, request: memoryview, out: bytearray) -> int:
        """0x3E."""
        return 2

    def change_session(self, request: memoryview, out: bytearray) -> int:
        """0x10. Entering the programming session takes the application off. The time it announces
        is that of the longest stall of a flash; whatever computes is answered within P2_MS."""
        session = out[1]
        self.enter(session)
        p2_ms = P2_PROGRAMMING_MS if session == SESSION_PROGRAMMING else P2_MS
        out[2:4] = p2_ms.to_bytes(2, "big")
        out[4:6] = (P2_STAR_MS // 10).to_bytes(2, "big")
        return 6

    def enter(self, session: int) -> None:
        """Change the session, which locks security; only the programming session lets a cycle go
        on."""
        if session != SESSION_PROGRAMMING:
            self.transfer.stop()
            self._cycle.stop()
        self.session = session
        self.state = SECURED << session
        self._ecu.session_changed(session)

    def reset(self, request: memoryview, out: bytearray) -> int:
        """0x11: there is one kind of restart, and every kind asked for is it."""
        if not self._ecu.reset_after_response():
            raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        return 2

    def read(self, request: memoryview, out: bytearray) -> "Work[int]":
        """0x22: of the identifiers asked for, those that there are."""
        if not len(request) & 1:
            raise Nrc(NRC_INCORRECT_LENGTH)
        at = 1
        for i in range(1, len(request), 2):
            did = request[i] << 8 | request[i + 1]
            value = bytes((self.session,)) if did == DID_SESSION else self._ecu.read(did)
            if value is not None:
                end = at + 2 + len(value)
                if end > len(out):
                    raise Nrc(NRC_RESPONSE_TOO_LONG)
                out[at : at + 2] = request[i : i + 2]
                out[at + 2 : end] = value
                at = end
            yield
        if at == 1:
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        return at

    # --- routines -------------------------------------------------------------------------------

    def routine(self, request: memoryview, out: bytearray) -> "int | Work[int]":
        """0x31. All are started; only the cycle goes on by itself, is stopped and has results."""
        number = request[2] << 8 | request[3]
        # Commit and rollback in every session: an application on trial has to run.
        last = 0
        if self.session == SESSION_PROGRAMMING:
            last = RID_LISTEN if self.transfer.hears else RID_ROLLBACK
        if not (RID_CYCLE <= number <= last or RID_COMMIT <= number <= RID_ROLLBACK):
            raise Nrc(NRC_REQUEST_OUT_OF_RANGE)
        out[2:STATUS] = request[2:STATUS]
        if out[1] != START_ROUTINE:
            return self._look_after(number, out)
        if number == RID_LISTEN:
            return self.transfer.listen(request, out, STATUS)
        if number >= RID_COMMIT:
            return self._settle(request, number)
        if number == RID_WANTS:
            return self._wants(out)
        if number == RID_ANSWER:
            self._answer(request)
        elif number == RID_CYCLE:
            self.transfer.stop()
            if not self._ecu.begin_cycle():
                raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        elif not self._ecu.install_after_response():
            self._ecu.note(NothingStaged.number)
            raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        return STATUS

    def _look_after(self, number: int, out: bytearray) -> "int | Work[int]":
        """stopRoutine and requestRoutineResults."""
        if number != RID_CYCLE:
            raise Nrc(NRC_SUB_FUNCTION_NOT_SUPPORTED)
        cycle = self._cycle
        if out[1] == REQUEST_ROUTINE_RESULTS:
            if cycle.running() or cycle.completed or cycle.refusal:
                return self._wants(out)
        elif cycle.running():
            self.transfer.stop()
            cycle.stop()
            return STATUS
        raise Nrc(NRC_REQUEST_SEQUENCE_ERROR)

    def _settle(self, request: memoryview, number: int) -> int:
        if len(request) != STATUS + 4:
            raise Nrc(NRC_INCORRECT_LENGTH)
        bundle = int.from_bytes(bytes(request[STATUS:]), "big")
        if not self._ecu.trial.settle(bundle, number == RID_COMMIT):
            raise Nrc(NRC_CONDITIONS_NOT_CORRECT)
        return STATUS

    def _wants(self, out: bytearray) -> "Work[int]":
        cycle = self._cycle
        while cycle.computing() or self.transfer.writing():
            yield  # the main loop steps both; meanwhile the server says 0x78
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
