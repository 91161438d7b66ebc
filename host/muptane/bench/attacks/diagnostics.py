"""A tester who tries to install, swap, roll back or re-identify: every routine and transfer.

What UDS authentication opens is worth nothing: nothing that matters depends on it (S-39, T-55).
Rules: E-01, E-76, E-77, E-78, S-39, V-24, V-67, V-92, T-55.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from muptane.bench.attacks.attack import ACCEPTED, DETECTED, INSTALLS, attack, everywhere
from muptane.bench.attacks.meddling import meddling
from muptane.bench.attacks.places import AT_THE_WIRE, ON_THE_BUS
from muptane.bench.attacks.stage import EVIL, Stage
from muptane.bench.attacks.update import CYCLE_S, SETTLE_S
from muptane.bench.can.frames import Frame
from muptane.bench.feeder import feed
from uptane import ids
from uptane.errors import (
    Negative,
    NothingStaged,
    Refusal,
    TooLong,
    Unwanted,
    WrongFile,
    WrongHash,
)
from uptane.uds.client import Client
from uptane.uds.feeding import Feeding, of_a_primary

DEFAULT, PROGRAMMING = b"\x10\x01", b"\x10\x02"
RESET = b"\x11\x01"
CYCLE, WANTS, INSTALL = b"\x31\x01\x02\x00", b"\x31\x01\x02\x01", b"\x31\x01\x02\x03"
ABSENT, TAKEN = b"\0", b"\2"
REPORT = bytes((ids.LOCAL, ids.KIND_REPORT, 0, 0, 0, 0))
TRANSFER_BYTES = 32


def image_file(stage: Stage) -> bytes:
    """The file number of the image at stake."""
    return bytes((ids.IMAGE, ids.KIND_IMAGE)) + stage.number.to_bytes(4, "big")


def ask(stage: Stage, *requests: bytes) -> None:
    """Requests of a tester to the victim, one after the other, whatever the answers."""
    stage.ended = None
    for request in requests:
        try:
            stage.vehicle.station(stage.victim.name).request(request)
        except Refusal as refusal:
            stage.ended = refusal.number
    stage.vehicle.run(SETTLE_S)


def verify(stage: Stage) -> None:
    """One cycle of the victim, up to a verified image that waits for RID_INSTALL."""
    station = stage.vehicle.station(stage.victim.name)
    feeding = Feeding(station.client, stage, bytearray(4095), of_a_primary())
    station.run(feeding.begin(), CYCLE_S)
    station.run(feeding.serve(station.clock), CYCLE_S)


def answer(file: bytes, what: bytes) -> bytes:
    """RID_ANSWER."""
    return b"\x31\x01\x02\x02" + file + what


def download(file: bytes, length: int) -> bytes:
    """RequestDownload."""
    return b"\x34\x00\x46" + file + length.to_bytes(4, "big")


def until_time_is_wanted(stage: Stage) -> None:
    """Begin a cycle and take the reports that are offered, as an honest client would."""
    ask(stage, PROGRAMMING, CYCLE, WANTS, answer(REPORT, TAKEN), WANTS)
    if stage.victim.role == "primary":  # it fetches its Secondaries' reports first
        of_vehicle = REPORT[:5] + bytes((ids.REPORT_VEHICLE,))
        for _ in range(100):
            ask(stage, WANTS, answer(of_vehicle, TAKEN), WANTS)
            if stage.ended is None:
                break
    stage.look()


@attack(ids=("E-77", "S-39", "V-92"), expected=everywhere(NothingStaged), power=ON_THE_BUS)
def install_without_a_cycle(stage: Stage) -> str | int:
    """start whatever lies in the spare slot"""
    ask(stage, PROGRAMMING, INSTALL, DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "S-39"), expected=everywhere(NothingStaged), power=ON_THE_BUS)
def install_in_the_middle_of_a_cycle(stage: Stage) -> str | int:
    """start an image before it was verified"""
    ask(stage, PROGRAMMING, CYCLE, INSTALL, DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "S-39"), expected=everywhere(Negative), power=ON_THE_BUS)
def install_in_the_default_session(stage: Stage) -> str | int:
    """start an image while the application runs"""
    ask(stage, INSTALL)
    return stage.observed()


@attack(ids=("E-77", "E-78", "S-39"), expected=everywhere(NothingStaged), power=ON_THE_BUS)
def install_in_another_session(stage: Stage) -> str | int:
    """start, in a new session, what an earlier one has verified"""
    verify(stage)
    stage.look()
    ask(stage, DEFAULT, PROGRAMMING, INSTALL, DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "E-78", "S-39"), expected=everywhere(NothingStaged), power=ON_THE_BUS)
def install_after_a_new_cycle_began(stage: Stage) -> str | int:
    """start, in a new cycle, what an earlier one has verified"""
    verify(stage)
    stage.look()
    ask(stage, CYCLE, INSTALL, DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "S-39", "V-92"), expected=everywhere(Unwanted), power=ON_THE_BUS)
def download_without_a_want(stage: Stage) -> str | int:
    """flash an image as a workshop would, without metadata"""
    ask(stage, PROGRAMMING, download(image_file(stage), len(EVIL)), DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "S-39"), expected=everywhere(WrongFile), power=ON_THE_BUS)
def download_of_another_file(stage: Stage) -> str | int:
    """bring an image where something else is wanted"""
    until_time_is_wanted(stage)
    ask(stage, download(image_file(stage), len(EVIL)), DEFAULT)
    return stage.observed()


@attack(ids=("E-78", "S-39"), expected=everywhere(Unwanted), power=AT_THE_WIRE)
def image_swapped_after_it_was_verified(stage: Stage) -> str | int:
    """put other bytes into the slot between verification and installation"""
    verify(stage)
    stage.look()
    block = b"\x36\x01" + EVIL[:TRANSFER_BYTES]
    ask(stage, download(image_file(stage), TRANSFER_BYTES), block, DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "S-39"), expected=everywhere(Unwanted), power=ON_THE_BUS)
def transfer_without_a_download(stage: Stage) -> str | int:
    """write blocks that nobody announced"""
    ask(stage, PROGRAMMING, b"\x36\x01" + EVIL[:TRANSFER_BYTES], DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "E-20", "V-61"), expected=everywhere(TooLong), power=ON_THE_BUS)
def download_larger_than_wanted(stage: Stage) -> str | int:
    """announce four gigabytes of what is wanted"""
    until_time_is_wanted(stage)
    time = bytes((ids.DIRECTOR, ids.KIND_TIME, 0, 0, 0, 0))
    ask(stage, download(time, 0xFFFFFFFF), DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "S-39"), expected=everywhere(Unwanted), power=ON_THE_BUS)
def answer_without_a_question(stage: Stage) -> str | int:
    """end a cycle that does not run"""
    ask(stage, PROGRAMMING, answer(REPORT, TAKEN), DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "S-39"), expected=everywhere(WrongFile), power=ON_THE_BUS)
def answer_to_another_question(stage: Stage) -> str | int:
    """say of a file that it is absent, when another one is wanted"""
    until_time_is_wanted(stage)
    ask(stage, answer(image_file(stage), ABSENT), DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "V-24", "S-39"), expected=everywhere(Unwanted), power=ON_THE_BUS)
def upload_of_the_identity(stage: Stage) -> str | int:
    """read an ECU's secret"""
    ask(stage, PROGRAMMING, b"\x35\x00\x46" + bytes(6) + b"\x00\x00\x01\x00", DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "S-39", "T-55"), expected=everywhere(Negative), power=ON_THE_BUS)
def identity_rewritten(stage: Stage) -> str | int:
    """give an ECU another name"""
    ask(stage, PROGRAMMING, b"\x2e\xf1\x8c\x00\x00\x00\x63", DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "S-39", "T-55"), expected=everywhere(Negative), power=ON_THE_BUS)
def security_access_opens_nothing(stage: Stage) -> str | int:
    """unlock an ECU and erase its memory"""
    ask(stage, PROGRAMMING, b"\x27\x01", b"\x31\x01\xff\x00", INSTALL[:2] + b"\xff\x01", DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "V-35"), expected=everywhere(ACCEPTED), power=ON_THE_BUS)
def cycles_begun_and_left(stage: Stage) -> str | int:
    """wear an ECU out, or stop it, by cycles that nobody serves"""
    for _ in range(5):
        ask(stage, PROGRAMMING, CYCLE, WANTS, DEFAULT)
    return stage.observed()


@attack(ids=("E-77", "V-67", "S-39"), expected=everywhere(INSTALLS), power=ON_THE_BUS)
def resets_during_a_trial(stage: Stage) -> str | int:
    """roll an image back by using up the boots of its trial"""
    station = stage.vehicle.station(stage.victim.name)
    station.run(feed(station, stage), CYCLE_S)  # type: ignore[arg-type]
    refused = 0
    for _ in range(6):
        stage.vehicle.run(0.15)
        try:
            station.request(RESET)
        except Negative:
            refused += 1  # an image is on trial
    stage.vehicle.run(SETTLE_S)
    return stage.observed() if refused else "something else"


@attack(ids=("E-78", "V-63.7"), expected=everywhere(INSTALLS), power=AT_THE_WIRE)
def block_repeated_with_other_bytes(stage: Stage) -> str | int:
    """have a block written twice, the second time with other bytes"""
    stage.informed()

    def again(client: Client, sent: bytes) -> Generator[Any, Any, None]:
        yield from client.request(sent[:2] + EVIL[: len(sent) - 2].ljust(len(sent) - 2, b"!"))

    with meddling(stage, ids.KIND_IMAGE, again) as meddler:
        stage.feed()
    whole = meddler.blocks > 0 and stage.runs(stage.content)
    return stage.observed() if whole else "something else"


@attack(ids=("E-21", "E-77", "S-39"), expected=everywhere(INSTALLS), power=AT_THE_WIRE)
def transfer_ended_early(stage: Stage) -> str | int:
    """have the first part of an image taken for the whole"""
    stage.informed()
    stage.block_bytes = 66
    refused = []
    left = len(stage.content)

    def end(client: Client, sent: bytes) -> Generator[Any, Any, None]:
        nonlocal left
        left -= len(sent) - 2
        if left:
            try:
                yield from client.request(b"\x37")
            except Negative as negative:
                refused.append(negative)  # it is too early, and the transfer goes on

    with meddling(stage, ids.KIND_IMAGE, end):
        stage.feed()
    whole = bool(refused) and stage.runs(stage.content)
    return stage.observed() if whole else "something else"


@attack(ids=("E-76",), expected=everywhere(DETECTED), power=AT_THE_WIRE)
def attack_flag_suppressed(stage: Stage) -> str | int:
    """make an ECU forget that it was attacked, by power, by diagnostics, by a forged word"""
    stage.informed()
    stage.images[stage.number] = EVIL[: len(stage.content)].ljust(len(stage.content), b"!")
    stage.feed()
    ask(stage, PROGRAMMING, b"\x14\xff\xff\xff", RESET)
    stage.restart()
    acknowledged = {stage.victim.number: 0xFFFFFFFF}
    stage.director.targets.fields[ids.KEY_ACKNOWLEDGED] = acknowledged
    stage.director.serve(ids.TARGETS)
    stage.feed()
    return DETECTED if WrongHash.number in stage.noted() else stage.observed()


@attack(
    ids=("E-01",),
    expected=everywhere(INSTALLS),
    power="an ear on the vehicle's bus",
    limit="images travel in the clear: whoever hears the bus has them",
)
def image_overheard(stage: Stage) -> str | int:
    """read an image on its way"""
    heard = bytearray()

    def listener(now_ns: int, sender: str, frame: Frame) -> None:
        if frame.id == stage.victim.request and frame.data[0] >> 4 == 2:
            heard.extend(frame.data[1:])

    stage.vehicle.bus.listeners.append(listener)
    stage.feed()
    stage.vehicle.bus.listeners.remove(listener)
    return stage.observed() if stage.content[100:400] in heard else "nothing heard"
