"""Every bound that the wire or a stored byte meets, with its unit.

A bound protects heap, flash or time on the smallest board; the POUF lists them (T-23, T-52).
This module holds numbers only.
"""

# --- encoding --------------------------------------------------------------------------------
DEPTH_MAX = 8  # nested CBOR arrays and maps
ITEMS_MAX = 256  # items of one array, pairs of one map
TEXT_BYTES_MAX = 64

# --- metadata: bytes of a whole envelope (X, Y, Z of V-71..V-74) -----------------------------
ROOT_BYTES_MAX = 2048
TIMESTAMP_BYTES_MAX = 512
SNAPSHOT_BYTES_MAX = 1024
TARGETS_BYTES_MAX = 4096
TIME_BYTES_MAX = 512
REPORT_BYTES_MAX = 512
ENVELOPE_BYTES_MAX = 1024  # signatures around a payload whose length is announced
SIGNATURES_MAX = 8  # of one envelope
KEYS_MAX = 16  # of one Root, or of the delegations of one file
ROOT_STEPS_MAX = 32  # Root rotations in one cycle
DELEGATIONS_MAX = 16  # of one file
RANGES_MAX = 16  # of one delegation
DELEGATED_ROLES_MAX = 8  # of one delegation
DELEGATION_DEPTH_MAX = 4  # delegated files between the top-level Targets and an image
DELEGATION_VISITS_MAX = 16  # delegated files looked at for one image
DELEGATED_BYTES_MAX = 16384  # of all delegated files that one cycle looks at
REPOSITORIES_MAX = 6  # in a map, and the highest number of one
MAPPINGS_MAX = 16  # of one map
MAPS_MAX = 16  # that one Targets lists
MAP_BYTES_MAX = 1024
METADATA_BYTES_MAX = (  # by role
    ROOT_BYTES_MAX,
    TIMESTAMP_BYTES_MAX,
    SNAPSHOT_BYTES_MAX,
    TARGETS_BYTES_MAX,
)
SEARCH_MAX = (ROOT_STEPS_MAX, DELEGATION_DEPTH_MAX, DELEGATION_VISITS_MAX, DELEGATED_BYTES_MAX)
VERSION_MAX = 0x7FFFFFFF
RELEASE_STEP_MAX = 1_048_576  # release counters never go back: a thief may not use them up
IMAGE_BYTES_MAX = 0x7FFFFFFF

KID_BYTES = 8
NONCE_BYTES = 8
DIGEST_BYTES = 32

# --- time ------------------------------------------------------------------------------------
NONCE_AGE_MAX_MS = 3600000  # a nonce dies after an hour of local ticks
NONCES_MAX = 32  # in one attestation
FORWARD_MAX_S = 10 * 366 * 86400  # the largest step that one attestation may take

# --- the vehicle -----------------------------------------------------------------------------
SECONDARIES_MAX = 16
ATTACKS_MAX = 80  # refusals kept for the next version report: every number there is
WANTS_MAX = 128  # files that one Secondary may want in one cycle
LATER_MS_MAX = 60_000  # of waiting that a Secondary may ask for in one cycle
PATIENCE_MS = 3_600_000  # the same, of a Primary that waits for its Secondaries
SECONDARY_MS_MAX = 120_000  # of all exchanges with one Secondary in one cycle

# --- the pace of files (uptane.pace) ---------------------------------------------------------
PACE_WINDOW_MS = 10_000
PACE_PARTS = 8  # the window moves on by one of them
PACE_SHARE = 64  # a window has to see 1/64 of the bytes that the bus could carry in it
IDLE_MS_MAX = 600_000  # of a Primary's open wants in one cycle, whose files nobody moves yet

# --- the bus (uptane.busoff) ------------------------------------------------------------------
BUS_OFF_MS = 250  # between two ways back from bus-off; it doubles, up to
BUS_OFF_MS_MAX = 2_000

# --- the wear of flash (uptane.thrift) -------------------------------------------------------
CYCLES_MAX = 6  # that may begin right after a reset,
CYCLE_MS = 10_000  # and one more each time that this is over
LIFE_MS_MIN = 20_000  # before a reset on request is had

# --- installation ----------------------------------------------------------------------------
TRIAL_BOOTS_MAX = 3
TRIALS_MAX = 16  # of one image that a bundle may allow
HELD_MS_MAX = 600_000  # that an image seen healthy waits for the commit of its bundle
PROMISE_MS = 300_000  # of that, what is still to come for an ECU that says BOOT_HELD

REGIONS_MAX = 8  # of one image
REGION_ALIGN = 256  # bytes; each region's part of an image begins at a multiple: the widest unit

# --- deltas (uptane.image.delta, heatshrink) -------------------------------------------------
DELTA_WINDOW_BITS_MAX = 10  # twice this window and one lookahead are held: 2304 bytes
DELTA_LOOKAHEAD_BITS_MAX = 8
DELTA_NUMBER_BYTES_MAX = 5  # of one packed integer
DELTA_EMPTY_STEPS_MAX = 256  # steps that make nothing, and one more for so many bytes made
DELTA_EMPTY_BYTES = 16
CHECKPOINT_BYTES_MAX = 1146  # where a delta goes on: a window of heatshrink and 122 bytes
PIECE_BYTES = 1024  # of a chain (uptane.image.chain), without the hash of the next
RECOVERY_BYTES_MAX = 2048  # what an entry says of the image to go back to

# --- ISO-TP (ISO 15765-2) and UDS (ISO 14229-2) ----------------------------------------------
N_BS_MS = 1000
N_BR_MS = 500  # between two wait frames of our own
N_CR_MS = 1000
WAIT_FRAMES_MAX = 16  # in a row, N_WFTmax: a receiver may not hold its sender for ever
P2_MS = 50
P2_PROGRAMMING_MS = 3000  # announced for that session: erasing a block of flash stalls the chip
P2_STAR_MS = 5000
S3_MS = 5000
EXCHANGE_MS_MAX = 120_000  # one request and its response, however often it is said to be pending
BLOCK_BYTES = 1024  # data of one TransferData in; the largest message is 2 bytes longer
LONG_BLOCK_BYTES = 3840  # the same on CAN FD, but for a partial Secondary
UPLOAD_BYTES = 256  # data of one TransferData out
REPLY_BYTES_MAX = 3 + 4 * ATTACKS_MAX  # of a response: a list of every DTC there is
CHALLENGE_BYTES = 16  # of security access and authentication
ACCESS_ATTEMPTS_MAX = 3  # wrong proofs, and then
ACCESS_DELAY_MS = 10_000  # there is no challenge
FINGERPRINT_BYTES_MAX = 32
