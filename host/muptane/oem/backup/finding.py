"""What a comparison found, as a sentence: somebody's doing, or the office's own work since.

Rules: S-19, E-90.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`tampered`: no act of the office does this; else it is news, verified where it can be."""

    tampered: bool
    sentence: str


def bad(sentence: str) -> Finding:
    return Finding(True, sentence)


def news(sentence: str) -> Finding:
    return Finding(False, sentence)
