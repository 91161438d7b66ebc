"""One request that a Secondary did not hear costs it no cycle."""

from pathlib import Path

from garage import Garage

from muptane.bench.can.frames import Frame


def test_a_secondary_that_missed_the_beginning_is_asked_once_more(tmp_path: Path) -> None:
    """V-32, V-33: it may have stood still, erasing a block."""
    with Garage(tmp_path) as garage:
        garage.publish("door", 2)
        lost: list[Frame] = []

        def ear(frame: Frame) -> list[tuple[int, Frame]]:
            if not lost and frame.data[:3] == b"\x02\x10\x02":
                lost.append(frame)
                return []
            return [(0, frame)]

        garage.vehicle.ecus["door"].node.port.ear = ear
        garage.cycle()
        assert lost and garage.release("door") == 2 and garage.refusals("gateway") == []
