"""Every number that more than one module of the system must agree on.

A *file number* is (repository u8, kind u8, number u32), six bytes big-endian; on UDS it is the
memory address of a RequestDownload or RequestUpload. For metadata the number is the role and the
version travels beside it. An image number names one release and is never reused (V-85).

This module holds numbers only; bounds are in `limits`, refusals in `errors`, ISO 14229's own
numbers in `uds.codes`. The host's back office imports it, so it imports nothing.
Rules: V-05, V-07, V-09, V-14, V-20, V-43, V-44, V-85.
"""

FORMAT = 1  # version of every payload below; a reader refuses any other
POUF_NAME = "muptane"
POUF_VERSION = 1

# --- repositories ----------------------------------------------------------------------------
# An odd number is a Director's, an even one an Image repository's; 3 and on are in the map only.
LOCAL = 0
DIRECTOR = 1
IMAGE = 2

# --- kinds of file ---------------------------------------------------------------------------
KIND_METADATA = 0
KIND_IMAGE = 1
KIND_DELTA = 2
KIND_REPORT = 3
KIND_TIME = 4
KIND_MAP = 5

REPORT_ECU = 0  # number of a KIND_REPORT file: this ECU's version report
REPORT_VEHICLE = 1  # the vehicle version manifest

# --- roles, which are also the numbers of metadata files and the types of signed payloads ----
ROOT = 0
TIMESTAMP = 1
SNAPSHOT = 2
TARGETS = 3
TIME = 4  # a key holder named in the Director's Root, and the type of an attestation
TYPE_REPORT = 5
TYPE_VEHICLE = 6
TYPE_MAP = 7
DELEGATED_FIRST = 16  # roles of suppliers, on the Image repository
DELEGATED_LAST = 255  # because a role number is the low byte of its record's number

# --- keys of every signed payload ------------------------------------------------------------
KEY_FORMAT = 1
KEY_TYPE = 2
KEY_NUMBER = 3
# ... of the four roles
KEY_VERSION = 4
KEY_EXPIRES = 5
KEY_KEYS = 6  # root: [COSE_Key, ...]
KEY_ROLES = 7  # root: {role: [threshold, [kid, ...]]}
KEY_SNAPSHOT = 8  # timestamp: [version, length, {hash algorithm: digest}]
KEY_VERSIONS = 9  # snapshot: {role: version}
KEY_IMAGES = 10  # targets: {image number: entry}
KEY_VEHICLE = 11  # Director targets: the vehicle these directions are for
KEY_DELEGATIONS = 12  # Image targets: [[COSE_Key, ...], [delegation, ...]], by priority
KEY_ACKNOWLEDGED = 13  # Director targets: {ecu: report counter}
KEY_MAPS = 14  # targets: {map number: [length, {hash algorithm: digest}]}; Director: one at most
KEY_BUNDLE = 15  # Director targets: [bundle number, BUNDLE_..., trials of an image at most]
KEY_CUSTOM = 23
BUNDLE_REPORTED = 1  # what fails is reported and not tried again (S-43)
BUNDLE_RETRIED = 2  # ... is tried again, up to the number of trials (S-44)
BUNDLE_TOGETHER = 3  # two-phase commit: every ECU confirms, or none (S-45)
# ... of an entry of KEY_IMAGES
ENTRY_LENGTH = 1
ENTRY_HASHES = 2  # {hash algorithm: digest}
ENTRY_MATCH = 3  # must be equal on both repositories
ENTRY_ECUS = 4  # Director only: [ecu id, ...]
ENTRY_CUSTOM = 5
MATCH_HARDWARE = 1  # [hardware id, ...]
MATCH_RELEASE = 2  # release counter
MATCH_DEPENDENCIES = 3  # {image number: ...}, empty map is left out
MATCH_REGIONS = 4  # [[REGION_..., bytes], ...] in the image's order; absent: the application alone
# ... of ENTRY_CUSTOM on the Director: how else than as it is the ECU may come to this image
CUSTOM_ENCRYPTED = 1  # [METHOD_..., digest, {ecu: wrap}]
CUSTOM_DELTA = 2  # {DELTA_...: value}
CUSTOM_CHAIN = 3  # [digest of all that travels, of its first piece, [ecu id, ...]]
CUSTOM_RECOVERY = 4  # what those ECUs run until then: encoded [image number, entry without ECUs]
DELTA_ALGORITHM = 1
DELTA_LENGTH = 2
DELTA_HASHES = 3  # {hash algorithm: digest} of the delta
DELTA_BASE = 4  # [length, {hash algorithm: digest}] of the image that it is made from
DELTA_WINDOW = 5  # [bits of a distance, bits of a count], of its heatshrink
DELTA_LAYOUT = 6  # in-place: [memory, segment, shift], bytes
DELTA_SEQUENTIAL = 1  # patches of detools 0.53, compressed by heatshrink
DELTA_IN_PLACE = 2
# ... of a delegation
DELEGATION_RANGES = 1  # [[first image number, last], ...]
DELEGATION_HARDWARE = 2  # [hardware id, ...], absent: all
DELEGATION_TERMINATING = 3  # true, or absent
DELEGATION_ROLES = 4  # [[role, threshold, [kid, ...]], ...], by priority
DELEGATION_AGREEMENT = 5  # how many of several roles must say the same; absent for one role
# ... of a time attestation (KEY_FORMAT, KEY_TYPE and these)
TIME_NOW = 3  # seconds since 1970-01-01T00:00:00Z
TIME_NONCES = 4
# ... of an ECU version report (KEY_FORMAT, KEY_TYPE and these)
REPORT_ID = 3
REPORT_IMAGE = 4  # [image number, length, {hash algorithm: digest}, release counter]
REPORT_ATTACKS = 5  # [refusal number, ...]
REPORT_TIME = 6  # latest time this ECU could verify
REPORT_COUNTER = 7
REPORT_NONCE = 8  # the token that this ECU wants to see in the next time attestation
REPORT_BOOT = 9  # BOOT_...
REPORT_BUNDLE = 10  # of the last trial: [bundle number, image number, trials]; absent: no bundle
REPORT_REGIONS = 11  # [[REGION_..., image number], ...]; absent: an ECU of one region
# ... of a vehicle version manifest (KEY_FORMAT, KEY_TYPE and these)
VEHICLE_ID = 3
VEHICLE_PRIMARY = 4
VEHICLE_REPORTS = 5  # [version report as its ECU signed it, ...]
VEHICLE_COUNTER = 6

# ... of a map of repositories (KEY_FORMAT, KEY_TYPE and these)
MAP_NUMBER = 3
MAP_REPOSITORIES = 4  # {repository: SHA-256 of the payload of its Root 1}
MAP_MAPPINGS = 5  # [[[[first image number, last], ...], [repository, ...]], ...], by priority

BOOT_CONFIRMED = 0
BOOT_TRIAL = 1
BOOT_REVERTED = 2
BOOT_HELD = 3  # on trial, seen healthy; waits for the commit of its bundle, for a while at least
BOOT_UNDONE = 4  # seen healthy, and back all the same: its bundle was not committed
BOOT_REWRITING = 5  # no image runs: the one place there is for one is being overwritten

# --- regions of an ECU, of which an image replaces one or more (S-25) --------------------------
REGION_BOOTLOADER = 1
REGION_LIBRARY = 2
REGION_APPLICATION = 3  # every ECU has it
REGION_CALIBRATION = 4
REGION_USER_DATA = 5

# --- COSE (RFC 9052, 9053, 9054) -------------------------------------------------------------
COSE_SIGN = 98
COSE_SIGN1 = 18
HEADER_ALG = 1
HEADER_KID = 4
HEADER_PAYLOAD_HASH = 258  # the payload is a digest; this is its algorithm (COSE hash envelope)
ALG_SHA256 = -16

# --- records in an ECU's flash ---------------------------------------------------------------
RECORD_IDENTITY = 0x0001  # written once, at provisioning
RECORD_BOOT = 0x0002  # which slot is confirmed, which is on trial: owned by store.slots
RECORD_RELEASE = 0x0003  # [release counter, ...]: owned by store.slots; never goes down
RECORD_COUNTER = 0x0004  # report counter: owned by report
RECORD_TIME = 0x0005  # last attested time: owned by meta.attested_time
RECORD_ATTACKS = 0x0006  # refusals not yet acknowledged: owned by report
# newest Director Targets that held nothing for me, + 0x100 * (repository - 1): meta.files
RECORD_HIGH_WATER = 0x0007
RECORD_MAP = 0x0008  # the map of repositories, or the built-in one: owned by meta.mapping
RECORD_BUNDLE = 0x0009  # what a Primary has promised its bundle: owned by bundle
RECORD_RECOVERY = 0x000A  # the image to go back to, as in CUSTOM_RECOVERY: image.rewriting
RECORD_REGIONS = 0x000B  # what each region of an ECU holds, and where: owned by store.regions
# where a delta goes on: owned by image.patching or rewriting, dropped by store
RECORD_CHECKPOINT = 0x0F01
RECORD_DEPOT = 0x0F02  # what lies in a Primary's cells: owned by image.depot
RECORD_METADATA = 0x0100  # + 0x100 * (repository - 1) + role: a verified envelope

# --- the identity record ---------------------------------------------------------------------
IDENTITY_ECU = 1
IDENTITY_HARDWARE = 2
IDENTITY_VEHICLE = 3
IDENTITY_VERIFICATION = 4  # PARTIAL, FULL or PRIMARY
IDENTITY_SEED = 5  # Ed25519 seed, 32 bytes: signs, and nothing else
IDENTITY_DIRECTOR = 6  # SHA-256 of the payload of the Director's Root 1
IDENTITY_IMAGE = 7  # the same of the Image repository, absent on a partial ECU
# [CAN id of requests to me, of my responses, of requests to all; without the last none is heard]
IDENTITY_LINK = 8
IDENTITY_SECONDARIES = 9  # Primary only: [[ecu id, verification, request id, response id], ...]
IDENTITY_SYMMETRIC = 10  # 32 bytes, instead of IDENTITY_SEED: only ever split, see uptane.mac
IDENTITY_DECRYPTION = 11  # X25519 secret, 32 bytes; absent: cannot decrypt
IDENTITY_ACCESS = 12  # 32 bytes, for security access and nothing else; absent: has none

PARTIAL = 0
FULL = 1
PRIMARY = 2
