"""What an attack is: its name in the literature, the rules it tests, and the verdict it expects.

An attack is a function in one of the files beside this one, about six lines long, with `@attack`
above it: what the attacker has stolen, where he stands, and how each kind of verification must
answer. Its docstring says what he is after. Attacks that succeed by design are here too and mark
the edge of the promise, and so are benign cases that must not be refused. The command line,
docs/threats.md and the demo are made from these objects.

It plays nothing: see `stage` (one attack on one ECU) and `engine` (all of them).
Rules: V-36.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uptane.algorithms import FORM_PLAIN
from uptane.errors import Refusal

if TYPE_CHECKING:
    from muptane.bench.attacks.stage import Stage

INSTALLS = "installs"  # the ECU runs what it was offered
ACCEPTED = "accepted"  # it took what it was told, and there was nothing to install
DETECTED = "detected"  # the back office refused it, or noted it for people to look at

VERDICT = "verdict"  # what has to be right of an outcome
STATE = "state"
RECOVERY = "recovery"

PRIMARY = "primary"
FULL = "full"
PARTIAL = "partial"
BACKOFFICE = "backoffice"
ECUS = (PRIMARY, FULL, PARTIAL)

Verdict = type[Refusal] | str
Play = Callable[["Stage"], str | int | None]


def everywhere(verdict: Verdict) -> dict[str, Verdict]:
    """The same on every ECU."""
    return dict.fromkeys(ECUS, verdict)


def fully(verdict: Verdict, partial: Verdict | None = None) -> dict[str, Verdict]:
    """On those that verify fully; and on a partial Secondary, if it means something there."""
    expected: dict[str, Verdict] = {PRIMARY: verdict, FULL: verdict}
    return expected if partial is None else {**expected, PARTIAL: partial}


@dataclass(frozen=True)
class Attack:
    """`aim`, `power` (where the attacker stands) and `limit` (what a success by design means) are
    sentences; `keys` are what he has stolen, as `stage.KEYS` names them; `expected` maps a kind of
    verification to a refusal class or to INSTALLS, ACCEPTED, DETECTED. `supplied`: the image at
    stake is a supplier's. `form`: how the images of the vehicle travel, FORM_... of
    `uptane.algorithms`, added up; `broadcast`: what several want crosses the bus once.
    `secondaries`: how many the vehicle has to have. `heal` is what
    the maker does before the next honest update, if he must.
    """

    name: str
    ids: tuple[str, ...]
    aim: str
    power: str
    play: Play
    expected: Mapping[str, Verdict]
    keys: tuple[str, ...] = ()
    limit: str = ""
    supplied: bool = False
    form: int = FORM_PLAIN
    broadcast: bool = False
    secondaries: int = 0
    heal: Callable[[Stage], None] | None = None

    def possession(self) -> str:
        """Where the attacker stands and what he has stolen, in words."""
        if not self.keys:
            return self.power
        return f"{self.power}; the keys of {', '.join(self.keys)}"

    def verdict(self, verification: str) -> int | str:
        """The number of the expected refusal, or INSTALLS, ACCEPTED, DETECTED."""
        expected = self.expected[verification]
        return expected if isinstance(expected, str) else expected.number


ATTACKS: dict[str, Attack] = {}


def attack(
    ids: tuple[str, ...],
    expected: Mapping[str, Verdict],
    power: str,
    keys: tuple[str, ...] = (),
    **more: Any,
) -> Callable[[Play], Play]:
    """Makes an Attack of the function below it, and enters it into ATTACKS."""

    def enter(play: Play) -> Play:
        name = play.__name__
        if name in ATTACKS:
            raise ValueError(f"two attacks are called {name}")
        aim = " ".join((play.__doc__ or "").split())
        ATTACKS[name] = Attack(name, ids, aim, power, play, expected, keys, **more)
        return play

    return enter


@dataclass(frozen=True)
class Outcome:
    """One attack played against one kind of verification; `observed` as `Attack.verdict`.

    `state_unchanged`: trusted metadata, release counter, time and slots of the whole vehicle (of
    the back office: what it knows and directs) are what they were. `recovers`: the next honest
    update installs.
    """

    attack: Attack
    verification: str
    observed: int | str
    state_unchanged: bool
    recovers: bool
    changes: tuple[str, ...] = ()  # which parts of the state differ
    told: tuple[str, ...] = ()  # what each ECU says of itself, if the update did not install

    @property
    def expected(self) -> int | str:
        return self.attack.verdict(self.verification)

    @property
    def failed(self) -> tuple[str, ...]:
        """Which of the three conditions are not met: VERDICT, STATE, RECOVERY."""
        may_change = self.expected in (INSTALLS, ACCEPTED)
        met = {
            VERDICT: self.observed == self.expected,
            STATE: self.state_unchanged or may_change,
            RECOVERY: self.recovers,
        }
        return tuple(condition for condition in met if not met[condition])

    @property
    def ok(self) -> bool:
        return not self.failed

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.attack.name,
            "ids": list(self.attack.ids),
            "verification": self.verification,
            "power": self.attack.possession(),
            "expected": self.expected,
            "observed": self.observed,
            "state_unchanged": self.state_unchanged,
            "recovers": self.recovers,
            "ok": self.ok,
        }
