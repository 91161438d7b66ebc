"""README.md says what it has to say before anybody has read anything else."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ACTORS = (
    "supplier", "Image repository", "Director", "time server", "feeder", "Primary", "Secondary",
    "vehicle version manifest", "version reports",
)  # fmt: skip


def test_the_system_is_drawn() -> None:
    """S-01: everybody who takes part, and what passes between them, in one picture."""
    drawings = re.findall(r"^```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    missing = [
        actor
        for actor in ACTORS
        if not any("-->" in drawing and actor in drawing for drawing in drawings)
    ]
    assert not missing, f"{missing}: Cure: draw them into the picture of README.md."


def test_the_pouf_that_is_followed_is_named() -> None:
    """S-65: the document is ours, and it is there."""
    assert "`pouf.md` and `pouf.cddl` (every byte)" in README
    for name in ("pouf.md", "pouf.cddl"):
        assert (ROOT / "docs" / name).is_file()
