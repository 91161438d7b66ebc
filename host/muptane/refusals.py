"""What each refusal number means to a person: sentence, likely cause, next step, attack class.

A device refuses with a number and no text, because text costs flash there. Whoever shows such a
number to a person asks `explain`. A test holds `ADVICE` and the classes of `uptane.errors` equal,
so a refusal without advice cannot be added.

It does not decide anything and does not import the device's code: only the numbers are shared.
Rules: V-36.
"""

from typing import NamedTuple

ROLLBACK = "rollback"
FREEZE = "freeze"
MIX_AND_MATCH = "mix-and-match"
ARBITRARY_SOFTWARE = "arbitrary software"
EAVESDROP = "eavesdropping"
ENDLESS_DATA = "endless data"
SLOW_RETRIEVAL = "slow retrieval"
DROP_REQUEST = "drop-request"
REPLAY = "replay"


class Advice(NamedTuple):
    """The words for one refusal; `attack` is the class of attack it points to, or empty (V-36)."""

    name: str
    sentence: str
    cause: str
    next_step: str
    attack: str = ""


def explain(number: int) -> str:
    """Say in one line what a refusal number means, also for numbers we have never heard of."""
    if number == 0:
        return "nothing was refused"
    advice = ADVICE.get(number)
    if advice is None:
        return (
            f"refusal {number} is unknown here (likely cause: the device runs a newer muptane "
            "than this computer; next: update muptane and ask again)"
        )
    return f"{advice.sentence} (likely cause: {advice.cause}; next: {advice.next_step})"


# fmt: off
ADVICE: dict[int, Advice] = {
    # --- encoding
    1: Advice("Truncated", "the bytes end before the object does",
              "a transfer was cut short or a length inside lies", "send the whole file again"),
    2: Advice("TrailingBytes", "there are bytes after the end of the object",
              "two files were joined, or padding was sent along",
              "send exactly the bytes that were signed"),
    3: Advice("NotDeterministic", "the object is not in the one permitted encoding",
              "an encoder that does not shorten numbers or sort keys",
              "encode by RFC 8949 section 4.2.1 and sign again"),
    4: Advice("DuplicateKey", "a map holds the same key twice",
              "a broken or hostile encoder", "make the file anew with the back office"),
    5: Advice("TooDeep", "arrays and maps are nested deeper than the device reads",
              "custom data with too much structure", "flatten the custom data and sign again"),
    6: Advice("TooLong", "the file has more bytes or items than the device takes",
              "metadata outgrew the bounds of limits.py, or somebody sends without end",
              "move images into delegated roles, or raise the bound on a board with room",
              ENDLESS_DATA),
    7: Advice("BadText", "a text holds something other than printable ASCII",
              "a name with accents or control characters", "rename it and sign again"),
    8: Advice("Unsupported", "the object uses a part of CBOR that muptane does not",
              "a float, a tag or an undefined value", "use integers, bytes, text, lists and maps"),
    9: Advice("BadShape", "the object lacks a field, has an unknown one or one of another type",
              "metadata made by another version or another tool",
              "compare the file with docs/pouf.cddl"),
    # --- signatures
    20: Advice("BadEnvelope", "the signed envelope is not built as the POUF says",
               "a file that is not COSE, or COSE with other headers",
               "sign it with the back office, or compare it with docs/pouf.cddl"),
    21: Advice("BelowThreshold", "too few keys of the role signed these bytes",
               "an unfinished signing, revoked keys, keys of ES256 that this board cannot check, "
               "or a forgery",
               "look which keys signed, let the missing holders sign, and suspect the path if "
               "none is missing", ARBITRARY_SOFTWARE),
    22: Advice("BadKey", "a public key is not a key that muptane can use",
               "another algorithm or curve, or damaged key bytes",
               "register an Ed25519 or P-256 key and publish a new Root"),
    23: Advice("BadThreshold", "a threshold is below one or above the number of keys",
               "a mistake when the role was set up", "correct the threshold and sign again"),
    # --- metadata
    30: Advice("WrongFormat", "the payload has a format version that this device does not read",
               "device and back office are of different generations",
               "sign in the format of the device, or update the device's client first"),
    31: Advice("WrongType", "the file was signed as another role than the one wanted",
               "two files were mistaken for each other, or somebody tried it on purpose",
               "send the file of the role that was asked for", ARBITRARY_SOFTWARE),
    32: Advice("Rollback", "the version is lower than one this device has already accepted",
               "an old copy was served, or the repository was restored from a backup",
               "publish the role again with a version above the device's", ROLLBACK),
    33: Advice("SameVersionDiffers", "a known version arrived with other content",
               "the role was signed twice without raising its version",
               "raise the version and publish again", ROLLBACK),
    34: Advice("RootSkipped", "the Root is not exactly one version above the trusted one",
               "an intermediate Root is missing or out of order",
               "serve every Root since the device's, one after the other", ROLLBACK),
    35: Advice("Expired", "the metadata has expired",
               "nobody renewed the role, or an old set is replayed",
               "sign the role anew, then look at the path if fresh files do not arrive", FREEZE),
    36: Advice("SnapshotMismatch", "the Snapshot is not the one that Timestamp names",
               "files of two publications were mixed",
               "serve Timestamp and Snapshot of the same publication", MIX_AND_MATCH),
    37: Advice("RoleDropped", "the Snapshot no longer lists a role that it listed before",
               "a delegation was removed without rotating keys",
               "list the role again, or rotate the Timestamp and Snapshot keys", ROLLBACK),
    38: Advice("VersionMismatch", "the Targets file is not of the version that the Snapshot names",
               "files of two publications were mixed, or one arrived late",
               "serve Snapshot and Targets of the same publication", MIX_AND_MATCH),
    39: Advice("DirectorDelegates", "the Director's Targets delegate, which they must not",
               "Image repository metadata was signed with the Director's keys",
               "remove the delegation and check who can use the Director's keys",
               ARBITRARY_SOFTWARE),
    40: Advice("EcuTwice", "the Director names one ECU for two images",
               "a fault in the Director's choice of images",
               "correct the assignment and sign anew"),
    41: Advice("UnknownEcu", "the Director names an ECU that this vehicle does not have",
               "the inventory is out of date, or the file is for another vehicle",
               "compare the inventory with the vehicle's last manifest"),
    42: Advice("WrongVehicle", "the Director's directions are for another vehicle",
               "files of two vehicles were mixed up, or replayed on purpose",
               "fetch the directions of this vehicle and look at who relays them", REPLAY),
    43: Advice("DirectorsDiffer", "the Directors of this vehicle's map do not direct an ECU alike",
               "they have not agreed yet, or one of them is compromised",
               "compare what each of them wants there; if one did not want that, rotate its keys",
               MIX_AND_MATCH),
    44: Advice("WrongRepository", "a repository is not the one that the map means",
               "the map was made for other repositories, or somebody serves another first Root",
               "compare the identities in the map with those of the repositories",
               ARBITRARY_SOFTWARE),
    # --- images
    45: Advice("ReleaseTooFar", "the release counter is far above that of the confirmed image",
               "somebody with stolen keys uses up counters that never go back",
               "rotate the Director's keys; count releases up by less than 1,048,576 at a time",
               ROLLBACK),
    50: Advice("NoImage", "the Director names no image for this ECU",
               "there is no update, or the ECU is missing in the inventory",
               "nothing, unless an update was expected: then check the campaign"),
    51: Advice("NotOnImageRepository", "the Image repository does not list this image",
               "it was never published there, was delisted, or the Director is compromised",
               "publish it there if it is genuine, or else rotate the Director's keys",
               ARBITRARY_SOFTWARE),
    52: Advice("ImagesDiffer", "the two repositories describe this image differently",
               "one of them was changed alone, by mistake or by a thief of its keys",
               "compare both entries and sign the wrong one anew", ARBITRARY_SOFTWARE),
    53: Advice("WrongHardware", "the image is for other hardware than this ECU",
               "a wrong assignment, or a compromised Director",
               "assign an image whose hardware list holds this ECU's", MIX_AND_MATCH),
    54: Advice("ReleaseRollback", "the release counter is below that of the confirmed image",
               "an older release was offered",
               "sign the wanted image offline with a higher release counter", ROLLBACK),
    55: Advice("UnknownHash", "the image is listed under a hash function this device lacks",
               "the entry was made for other devices", "list SHA-256 and nothing else"),
    56: Advice("WrongHash", "the image's bytes are not the ones that were signed",
               "damage in transit, a wrong file, or a swapped image",
               "send the image again and compare its SHA-256 with the entry", ARBITRARY_SOFTWARE),
    57: Advice("WrongLength", "the image has another length than the signed one",
               "a cut transfer or a wrong file", "send the whole image as listed",
               ARBITRARY_SOFTWARE),
    58: Advice("TooLarge", "the image does not fit the slot",
               "an image built for a board with more flash",
               "make the image smaller, or the slots larger in board.toml", ENDLESS_DATA),
    59: Advice("ImageReused", "this image number is installed already, with other content",
               "a new build was published under an old number",
               "give every release a number of its own", ARBITRARY_SOFTWARE),
    # --- time
    60: Advice("NotMyNonce", "the time attestation does not hold a living nonce of this ECU",
               "it was made for another request, is too old, or is replayed",
               "ask the time server again with the nonces of the last reports", REPLAY),
    61: Advice("TimeBackwards", "the attested time is earlier than one already accepted",
               "a time server with a wrong clock, or an old attestation",
               "check the server's clock; if the ECU is ahead, rotate the time key", FREEZE),
    62: Advice("NoFreshTime", "a new installation needs a time attested in this cycle",
               "the time server could not be reached, or its answer was withheld",
               "bring the attestation and start the cycle again", FREEZE),
    63: Advice("TimeTooFar", "the attested time is further ahead than one step may go",
               "a time server with a wrong clock, or a stolen time key",
               "check the server's clock, and rotate the time key if it was right"),
    # --- files
    70: Advice("Unwanted", "the device did not ask for this file",
               "a tester or feeder that does not follow the wants",
               "ask the device what it wants next and send that"),
    71: Advice("WrongFile", "the bytes do not belong to the file number they came under",
               "files were mixed up on the way", "send the file that was asked for"),
    72: Advice("TooMuch", "more bytes came than were announced",
               "a wrong length in the request, or somebody sends without end",
               "announce the true length and send no more", ENDLESS_DATA),
    73: Advice("SlowRetrieval", "the file arrived more slowly than the device accepts",
               "a poor connection, an overloaded bus, or somebody stalls on purpose",
               "try again over another path and look at the bus load", SLOW_RETRIEVAL),
    74: Advice("Withheld", "a file this cycle needs, or the rest of it, was said not to exist",
               "an incomplete publication, or somebody keeps the file back",
               "check that the repository serves it, then look at the path", DROP_REQUEST),
    # --- flash
    80: Advice("FlashFault", "the flash does not hold what was written, or the place is not there",
               "worn or damaged flash, or a flash map that does not fit the part",
               "compare board.toml with the part, and replace the part if they agree"),
    81: Advice("NoSpace", "there is no room left for what was to be stored",
               "an image larger than a free cell of the Primary's depot, more images than it has "
               "cells, or a full area of records",
               "compare the image with the areas in board.toml"),
    82: Advice("Rotten", "a stored record was damaged after it had been written completely",
               "ageing flash, radiation, or somebody at the chip",
               "let the ECU fetch it again; provision anew if it is its identity or Root"),
    83: Advice("NotProvisioned", "this ECU has no identity yet",
               "it never went through provisioning, or its flash was erased",
               "provision it with its keys, Roots and time"),
    84: Advice("RottenImage", "the image in the slot that is to run is no longer the one verified",
               "ageing flash, radiation, or somebody at the chip",
               "publish a newer release, which goes into the other slot; provision anew if it "
               "comes again"),
    85: Advice("Overwritten", "no image runs: the only place for one was being overwritten",
               "power failed while the image came, or its trial failed and nothing is left of the "
               "one before",
               "let the cycle go on: the image comes to its end, or the one before comes back"),
    86: Advice("TooOften", "cycles are begun faster than the ECU's flash should be written",
               "a tester or a Primary that begins one after the other",
               "wait ten seconds, and look at who begins them"),
    # --- installation
    90: Advice("TrialFailed", "the new application crashed or hung, and the confirmed one is back",
               "a fault in the application", "read the refusal log and publish a mended release"),
    91: Advice("NothingStaged", "there is no verified image waiting to be started",
               "installation was asked for before the image was complete",
               "run a cycle until the image is staged"),
    92: Advice("BadApplication", "the image is genuine but holds no application to start",
               "it was packed without app.py, or is not a ROMFS image",
               "pack it with the back office and publish it as a new release"),
    93: Advice("TrialsSpent", "the image was tried as often as its bundle allows",
               "its trials failed, or its bundle was undone each time",
               "find out why, then direct a new bundle"),
    94: Advice("BundleUndone", "a bundle was given up before its commit: ECUs stay as they were",
               "an ECU was silent, had no verified image or failed its trial; or a reset",
               "look at the other ECUs' reports, then direct a new bundle"),
    95: Advice("BundleBroken", "not all ECUs run what their bundle directs",
               "the Primary was cut off after it had decided, or somebody else said commit",
               "hold the reports against each other and direct all ECUs anew"),
    # --- the link and the peer
    100: Advice("NoFlowControl", "the receiver did not answer the first frame of a message",
                "it is off, filters the identifier, or the bus is cut",
                "check power, wiring, bit rate and the identifiers of the vehicle file"),
    101: Advice("FrameLost", "a frame of a longer message did not arrive in time or in order",
                "an overloaded bus, or a receive queue that ran over",
                "send the message again, with a smaller block size or a longer separation time"),
    102: Advice("Overflow", "the receiver has no room for a message of this length",
                "a block longer than the receiver announced",
                "use the block length of its answer to RequestDownload"),
    103: Advice("NoReply", "the peer did not answer in time",
                "it was reset, hangs, or is not on the bus",
                "see whether it sends at all, then start the cycle again"),
    104: Advice("Negative", "the peer answered with a negative response",
                "a request it does not allow in its present state",
                "look up the response code and what the peer wants next"),
    105: Advice("PeerRefused", "a Secondary ended its cycle with a refusal of its own",
                "what the Primary accepted did not pass the Secondary's verification",
                "read the Secondary's refusal, which is the cause"),
    # --- encryption
    110: Advice("EncryptionDiffers", "the image is plain where it should be encrypted, or the "
                "reverse, or announced as something else than the entry says",
                "the plain file was served instead of the ciphertext, or somebody wants it to "
                "travel in the clear",
                "serve the bytes whose SHA-256 the Director lists, then look at who relays them",
                EAVESDROP),
    111: Advice("BadWrap", "the content key does not open with this ECU's secret",
                "it was wrapped for another ECU, image or ciphertext, or for an older key of it",
                "compare the key in the inventory with the ECU's and wrap a new content key",
                ARBITRARY_SOFTWARE),
    112: Advice("NotARecipient", "no content key of this image is wrapped for this ECU",
                "the ECU was left out, or it has another kind of secret than the inventory says",
                "look up its key in the inventory, or send this ECU the plain image"),
    # --- deltas
    120: Advice("WrongBase", "the installed image is not the one that the delta was made from",
                "the ECU was updated or repaired since its last version report",
                "let it report again, and direct the delta from what it runs, or the whole image"),
    121: Advice("UnsupportedDelta", "the delta is of a kind that this ECU cannot apply",
                "another compression, a larger window, or a layout for other memory",
                "make it with the back office, for the flash map of that board"),
    122: Advice("BadDelta", "the delta contradicts itself or the metadata that describes it",
                "it was damaged, or made to write more than announced or to read elsewhere",
                "compare its hash with the one in the Director's metadata", ENDLESS_DATA),
    # --- ECUs without a spare slot
    123: Advice("WrongPiece", "a piece of the image is not the one whose hash was signed",
                "damage in transit, or a swapped image; nothing of that piece was written",
                "send it again, and compare its SHA-256 with the Director's entry",
                ARBITRARY_SOFTWARE),
    124: Advice("NotChained", "the image would overwrite the only one and is not signed in pieces",
                "the inventory does not know that this ECU has no spare slot",
                "register the ECU with its place for an image, then direct again"),
    130: Advice("NoRegion", "the image replaces a region that this ECU does not have",
                "the inventory has other regions of this ECU than its board",
                "register the ECU with the regions that it has, then direct again"),
}
# fmt: on
