"""What may be said to an ECU by UDS, as a table: every request, and what its response holds.

`SERVICES` is made of the numbers of `uptane.uds.codes`; tests hold it against the table that the
device goes by. It describes bytes, not when they may be said.
Source: ISO 14229-1 for what is not ours.
"""

from __future__ import annotations

from typing import NamedTuple

from uptane.uds import codes


class Kind(NamedTuple):
    """A type of data: its name, the base type of ODX, and its bytes (0: up to the end)."""

    name: str
    base: str
    bytes: int


U8 = Kind("u8", "A_UINT32", 1)
U16 = Kind("u16", "A_UINT32", 2)
U32 = Kind("u32", "A_UINT32", 4)
FILE_NUMBER = Kind("file_number", "A_BYTEFIELD", 6)
DIGEST = Kind("digest", "A_BYTEFIELD", 32)
DTC = Kind("dtc", "A_BYTEFIELD", 3)
CHALLENGE = Kind("challenge", "A_BYTEFIELD", 16)
VIN = Kind("vin", "A_ASCIISTRING", 17)
TEXT = Kind("text", "A_ASCIISTRING", 0)
BYTES = Kind("bytes", "A_BYTEFIELD", 0)
KINDS = (U8, U16, U32, FILE_NUMBER, DIGEST, DTC, CHALLENGE, VIN, TEXT, BYTES)


class Part(NamedTuple):
    """A part of a message; `value` if it is always the same."""

    name: str
    kind: Kind
    value: int | None = None


class Service(NamedTuple):
    """A request and its positive response, each without its first byte."""

    name: str
    number: int
    request: tuple[Part, ...]
    response: tuple[Part, ...]


def _read(name: str, did: int, *value: Part) -> Service:
    """ReadDataByIdentifier of one."""
    which = Part("identifier", U16, did)
    return Service(f"read_{name}", codes.READ_DATA_BY_IDENTIFIER, (which,), (which, *value))


def _start(name: str, rid: int, record: tuple[Part, ...], status: tuple[Part, ...]) -> Service:
    """RoutineControl, startRoutine, of one."""
    which = (Part("control", U8, codes.START_ROUTINE), Part("routine", U16, rid))
    return Service(name, codes.ROUTINE_CONTROL, which + record, which + status)


def _cycle(name: str, control: int, *status: Part) -> Service:
    """RoutineControl of the cycle that has begun."""
    which = (Part("control", U8, control), Part("routine", U16, codes.RID_CYCLE))
    return Service(name, codes.ROUTINE_CONTROL, which, which + status)


def _task(name: str, sub_function: int, request: tuple[Part, ...], *response: Part) -> Service:
    """Of Authentication."""
    which = (Part("task", U8, sub_function),)
    result = (*which, Part("result", U8))
    return Service(name, codes.AUTHENTICATION, which + request, result + response)


def _report(name: str, sub_function: int, request: tuple[Part, ...], *response: Part) -> Service:
    """Of ReadDTCInformation."""
    which = (Part("report", U8, sub_function),)
    known = (*which, Part("status_availability_mask", U8))
    return Service(name, codes.READ_DTC_INFORMATION, which + request, known + response)


_SESSION = Part("session", U8)
_RESET = Part("reset_type", U8)
_ZERO = Part("sub_function", U8, 0)
_COUNTER = Part("block_sequence_counter", U8)
_BUNDLE = Part("bundle", U32)
_MASK = Part("status_mask", U8)
_DTCS = Part("dtcs", BYTES)  # each of 3 bytes, and its status
_SETTING = Part("setting", U8)
_COMMUNICATION = Part("communication", U8)
_FINGERPRINT = Part("identifier", U16, codes.DID_FINGERPRINT)
_SEED, _KEY = Part("level", U8, codes.REQUEST_SEED), Part("level", U8, codes.SEND_KEY)
_ALGORITHM = Part("algorithm", CHALLENGE)
_CHALLENGE_BYTES = Part("challenge_bytes", U16)
_PARAMETER_BYTES = Part("parameter_bytes", U16)
_OPENS = (
    Part("form", U8),
    Part("address_and_length_format", U8, codes.ADDRESS_FORMAT),
    Part("file", FILE_NUMBER),
    Part("length", U32),
)
_OPENED = (Part("length_format", U8, 0x20), Part("block_bytes_max", U16))

SERVICES = (
    Service(
        "session_control",
        codes.DIAGNOSTIC_SESSION_CONTROL,
        (_SESSION,),
        (_SESSION, Part("p2_ms", U16), Part("p2_star_10_ms", U16)),
    ),
    Service("ecu_reset", codes.ECU_RESET, (_RESET,), (_RESET,)),
    Service("tester_present", codes.TESTER_PRESENT, (_ZERO,), (_ZERO,)),
    _read("ecu", codes.DID_ECU, Part("ecu", U32)),
    _read("vin", codes.DID_VIN, Part("vin", VIN)),
    _read("interpreter", codes.DID_INTERPRETER, Part("interpreter", TEXT)),
    _read(
        "image",
        codes.DID_IMAGE,
        Part("image", U32),
        Part("release", U32),
        Part("length", U32),
        Part("sha256", DIGEST),
    ),
    _read("boot_state", codes.DID_BOOT, Part("boot_state", U8)),
    _read("refusals", codes.DID_REFUSALS, Part("refusals", BYTES)),
    _read("heap", codes.DID_HEAP, Part("free_bytes", U32), Part("allocated_bytes", U32)),
    _read("session", codes.DID_SESSION, Part("session", U8)),
    _read("fingerprint", codes.DID_FINGERPRINT, Part("fingerprint", BYTES)),
    Service(
        "write_fingerprint",
        codes.WRITE_DATA_BY_IDENTIFIER,
        (_FINGERPRINT, Part("fingerprint", BYTES)),
        (_FINGERPRINT,),
    ),
    Service("clear_dtcs", codes.CLEAR_DIAGNOSTIC_INFORMATION, (Part("group", DTC),), ()),
    _report(
        "count_dtcs",
        codes.NUMBER_OF_DTC_BY_STATUS_MASK,
        (_MASK,),
        Part("dtc_format", U8),
        Part("count", U16),
    ),
    _report("read_dtcs", codes.DTC_BY_STATUS_MASK, (_MASK,), _DTCS),
    _report("read_supported_dtcs", codes.SUPPORTED_DTC, (), _DTCS),
    Service("control_dtc_setting", codes.CONTROL_DTC_SETTING, (_SETTING,), (_SETTING,)),
    Service(
        "control_communication",
        codes.COMMUNICATION_CONTROL,
        (_COMMUNICATION, Part("kind", U8)),
        (_COMMUNICATION,),
    ),
    Service("request_seed", codes.SECURITY_ACCESS, (_SEED,), (_SEED, Part("seed", CHALLENGE))),
    Service("send_key", codes.SECURITY_ACCESS, (_KEY, Part("key", DIGEST)), (_KEY,)),
    _task("de_authenticate", codes.DE_AUTHENTICATE, ()),
    _task("authentication_configuration", codes.AUTHENTICATION_CONFIGURATION, ()),
    _task(
        "request_challenge",
        codes.REQUEST_CHALLENGE_FOR_AUTHENTICATION,
        (Part("communication_configuration", U8), _ALGORITHM),
        _ALGORITHM,
        _CHALLENGE_BYTES,
        Part("challenge", CHALLENGE),
        _PARAMETER_BYTES,
    ),
    _task(
        "prove_ownership",
        codes.VERIFY_PROOF_OF_OWNERSHIP_UNIDIRECTIONAL,
        (
            _ALGORITHM,
            Part("proof_bytes", U16),
            Part("proof", DIGEST),
            _CHALLENGE_BYTES,
            _PARAMETER_BYTES,
        ),
        _ALGORITHM,
        Part("session_key_bytes", U16),
    ),
    _cycle("stop_cycle", codes.STOP_ROUTINE),
    _cycle(
        "ask_results",
        codes.REQUEST_ROUTINE_RESULTS,
        Part("status", U8),
        Part("want", BYTES),
    ),
    _start("begin_cycle", codes.RID_CYCLE, (), ()),
    _start("ask_wants", codes.RID_WANTS, (), (Part("status", U8), Part("want", BYTES))),
    _start(
        "answer_want", codes.RID_ANSWER, (Part("file", FILE_NUMBER), Part("answer", BYTES)), ()
    ),
    _start("install", codes.RID_INSTALL, (), ()),
    _start("commit_bundle", codes.RID_COMMIT, (_BUNDLE,), ()),
    _start("roll_bundle_back", codes.RID_ROLLBACK, (_BUNDLE,), ()),
    _start(
        "listen",
        codes.RID_LISTEN,
        (Part("tag", U8), Part("opening", BYTES)),
        (Part("there_bytes", U32), Part("block_ms", U16)),
    ),
    Service("request_download", codes.REQUEST_DOWNLOAD, _OPENS, _OPENED),
    Service("request_upload", codes.REQUEST_UPLOAD, _OPENS, _OPENED),
    Service(
        "transfer_data",
        codes.TRANSFER_DATA,
        (_COUNTER, Part("block", BYTES)),
        (_COUNTER, Part("block", BYTES)),
    ),
    Service("request_transfer_exit", codes.REQUEST_TRANSFER_EXIT, (), ()),
)
