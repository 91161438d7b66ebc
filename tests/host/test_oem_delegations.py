"""The models and the grammar of delegations: both say no where a device would."""

import pytest
from cbor2 import dumps, loads
from grammar import NotConforming, conforms
from pydantic import ValidationError

from muptane.oem.delegations import Delegate, Delegation
from muptane.oem.keys import Signer
from muptane.oem.targets import Targets
from uptane import ids

SIGNERS = [Signer.from_seed(b"delegations", "one")]


def wrong(**change: object) -> dict[str, object]:
    key = SIGNERS[0].key
    one = Delegate(number=20, threshold=1, keys=(key,))
    return {"ranges": ((1, 2),), "roles": (one,), **change}


PAIR = tuple(Delegate(number=number, threshold=1, keys=(SIGNERS[0].key,)) for number in (20, 21))


@pytest.mark.parametrize(
    "fields",
    [
        wrong(ranges=()),
        wrong(ranges=((2, 1),)),
        wrong(ranges=((1, 2), (2, 3))),
        wrong(hardware=()),
        wrong(hardware=(2, 1)),
        wrong(roles=()),
        wrong(roles=PAIR),
        wrong(roles=PAIR, agreement=3),
        wrong(roles=PAIR, agreement=0),
        wrong(roles=PAIR[:1] * 2, agreement=1),
        wrong(agreement=1),
    ],
    ids=range(11),
)
def test_a_delegation_that_no_device_reads_is_not_made(fields):
    """E-42, E-56."""
    with pytest.raises(ValidationError):
        Delegation(**fields)


def test_a_delegate_has_a_number_and_a_threshold_that_fit():
    """E-42, E-56."""
    key = SIGNERS[0].key
    for number, threshold, keys in ((15, 1, 1), (256, 1, 1), (20, 0, 1), (20, 2, 1), (20, 1, 2)):
        with pytest.raises(ValidationError):
            Delegate(number=number, threshold=threshold, keys=(key,) * keys)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (1, []),
        (1, [[5]]),
        (1, [[1, 2, 3]]),
        (2, []),
        (3, False),
        (4, []),
        (4, [[15, 1, [bytes(8)]]]),
        (4, [[256, 1, [bytes(8)]]]),
        (4, [[20, 0, [bytes(8)]]]),
        (4, [[20, 1, [bytes(7)]]]),
        (5, 0),
    ],
    ids=range(11),
)
def test_the_grammar_of_delegations_says_no(key, value):
    """P-09: in a file that is otherwise good."""
    listed = (Delegation(**wrong(hardware=(20, 21), terminating=True)),)
    made = Targets(version=1, expires=1, images={}, delegations=listed)
    payload = loads(made.payload())
    conforms("targets-payload", dumps(payload))
    payload[ids.KEY_DELEGATIONS][1][0][key] = value
    with pytest.raises(NotConforming):
        conforms("targets-payload", dumps(payload))


def test_what_is_written_is_read_again():
    """V-16, T-25: every option."""
    options = {"hardware": (20, 21), "terminating": True, "ranges": ((0, 0), (2, 2**32 - 1))}
    listed = tuple(
        Delegation(**fields)
        for fields in (wrong(), wrong(**options), wrong(roles=PAIR, agreement=2, **options))
    )
    for number in (ids.TARGETS, 16, 255):
        made = Targets(version=1, expires=1, number=number, images={}, delegations=listed)
        conforms("targets-payload", made.payload())
        assert Targets.from_payload(made.payload()) == made
    with pytest.raises(ValidationError):
        Targets(version=1, expires=1, images={}, vehicle="VIN1", delegations=listed)
