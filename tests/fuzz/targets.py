"""Every parser that faces the wire, as the fuzzer and the replay of its corpus know it.

`TARGETS` is {name: (function, most bytes of one input)}. A function returns nothing, or a list of
the refusals that it saw, or raises one; `outcome` makes a list of numbers of that, which has to be
the same on every interpreter. Anything else that is raised is a finding.
"""

from fuzz import conversations, deltas, listening, parsers, peers, scopes
from uptane.errors import Refusal
from uptane.limits import (
    REPORT_BYTES_MAX,
    ROOT_BYTES_MAX,
    SNAPSHOT_BYTES_MAX,
    TARGETS_BYTES_MAX,
    TIME_BYTES_MAX,
    TIMESTAMP_BYTES_MAX,
)

CONVERSATION_BYTES_MAX = 512
ITEM_BYTES_MAX = 300
IMAGE_BYTES_MAX = 1024
RECORD_BYTES_MAX = 256
DELTA_BYTES_MAX = 256

TARGETS = {
    "cbor": (parsers.item, ITEM_BYTES_MAX),
    "cbor_first": (parsers.first_item, ITEM_BYTES_MAX),
    "cose_sign": (parsers.envelope, TARGETS_BYTES_MAX),
    "cose_sign1": (parsers.signed, TIME_BYTES_MAX),
    "cose_sealed": (parsers.sealed, REPORT_BYTES_MAX),
    "cose_key": (parsers.key, RECORD_BYTES_MAX),
    "root": (parsers.root, ROOT_BYTES_MAX),
    "timestamp": (parsers.timestamp, TIMESTAMP_BYTES_MAX),
    "snapshot": (parsers.snapshot, SNAPSHOT_BYTES_MAX),
    "targets_director": (parsers.director_targets, TARGETS_BYTES_MAX),
    "targets_image": (parsers.image_targets, TARGETS_BYTES_MAX),
    "targets_delegated": (parsers.delegated_targets, TARGETS_BYTES_MAX),
    "time": (parsers.TimeSource(), TIME_BYTES_MAX),
    "encrypted": (parsers.encrypted, ITEM_BYTES_MAX),
    "regions": (scopes.regions, ITEM_BYTES_MAX),
    "wrap": (parsers.WrapReader(), RECORD_BYTES_MAX),
    "mark": (parsers.mark, RECORD_BYTES_MAX),
    "relayed_report": (parsers.relayed_report, REPORT_BYTES_MAX),
    "romfs": (parsers.image, IMAGE_BYTES_MAX),
    "delta": (deltas.sequential, DELTA_BYTES_MAX),
    "delta_in_place": (deltas.in_place, DELTA_BYTES_MAX),
    "isotp": (conversations.channel, CONVERSATION_BYTES_MAX),
    "uds_server": (conversations.server, CONVERSATION_BYTES_MAX),
    "uds_transfer": (conversations.transfer, CONVERSATION_BYTES_MAX),
    "uds_broadcast": (listening.listening, CONVERSATION_BYTES_MAX),
    "uds_client": (peers.client, CONVERSATION_BYTES_MAX),
}


def outcome(name, raw):
    """[] if the input was accepted, else the numbers of what was refused, in order."""
    function = TARGETS[name][0]
    try:
        return function(raw) or []
    except Refusal as refusal:
        return [refusal.number]
