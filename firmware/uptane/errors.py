"""Every refusal: what happened, as a class, and its number.

A refusal carries no text: the sentence, the likely cause and the next step live on the host
(`muptane.refusals`), keyed by the number. Numbers are part of the wire format (version reports,
the wants routine): never renumber, never reuse.

Ranges: 1 encoding, 20 signatures, 30 metadata, 50 images, 60 time, 70 files nobody wanted,
80 flash, 90 installation, 100 the link and the peer, 110 encryption, 120
deltas.
Rules: V-36.
"""


class Refusal(Exception):
    number = 0


# --- encoding --------------------------------------------------------------------------------
class Truncated(Refusal):
    number = 1


class TrailingBytes(Refusal):
    number = 2


class NotDeterministic(Refusal):
    """A number that could be shorter, keys out of order, an indefinite length."""

    number = 3


class DuplicateKey(Refusal):
    number = 4


class TooDeep(Refusal):
    number = 5


class TooLong(Refusal):
    """More bytes or more items than limits.py allows."""

    number = 6


class BadText(Refusal):
    """Text that is not printable ASCII (which is always NFC, V-04)."""

    number = 7


class Unsupported(Refusal):
    """A float, a tag, an unassigned simple value."""

    number = 8


class BadShape(Refusal):
    """Well encoded, but a field is missing, unknown or of the wrong type."""

    number = 9


# --- signatures ------------------------------------------------------------------------------
class BadEnvelope(Refusal):
    number = 20


class BelowThreshold(Refusal):
    """Not enough distinct keys of the role signed these bytes (E-43)."""

    number = 21


class BadKey(Refusal):
    number = 22


class BadThreshold(Refusal):
    """A threshold below one, or above the number of keys (E-42)."""

    number = 23


# --- metadata --------------------------------------------------------------------------------
class WrongFormat(Refusal):
    number = 30


class WrongType(Refusal):
    """Signed as another role, or as another delegated role (E-46)."""

    number = 31


class Rollback(Refusal):
    number = 32


class SameVersionDiffers(Refusal):
    number = 33


class RootSkipped(Refusal):
    """A Root whose version is not exactly one more than the trusted one."""

    number = 34


class Expired(Refusal):
    number = 35


class SnapshotMismatch(Refusal):
    """The Snapshot is not the one that the Timestamp names."""

    number = 36


class RoleDropped(Refusal):
    number = 37


class VersionMismatch(Refusal):
    """A Targets file that the Snapshot does not name at this version."""

    number = 38


class DirectorDelegates(Refusal):
    number = 39


class EcuTwice(Refusal):
    number = 40


class UnknownEcu(Refusal):
    number = 41


class WrongVehicle(Refusal):
    number = 42


class DirectorsDiffer(Refusal):
    """The Directors of the map do not all say the same of one ECU."""

    number = 43


class WrongRepository(Refusal):
    """A repository is not the one that the map means."""

    number = 44


# --- images ----------------------------------------------------------------------------------
class ReleaseTooFar(Refusal):
    """A step of the release counter that would leave too few of them (E-16)."""

    number = 45


class NoImage(Refusal):
    """The Director names no image for this ECU (V-60)."""

    number = 50


class NotOnImageRepository(Refusal):
    number = 51


class ImagesDiffer(Refusal):
    """The two repositories disagree on length, hash or must-match data."""

    number = 52


class WrongHardware(Refusal):
    number = 53


class ReleaseRollback(Refusal):
    number = 54


class UnknownHash(Refusal):
    number = 55


class WrongHash(Refusal):
    number = 56


class WrongLength(Refusal):
    number = 57


class TooLarge(Refusal):
    """The image does not fit the slot."""

    number = 58


class ImageReused(Refusal):
    """The number of an image already installed, with other content (T-53)."""

    number = 59


# --- time ------------------------------------------------------------------------------------
class NotMyNonce(Refusal):
    number = 60


class TimeBackwards(Refusal):
    number = 61


class NoFreshTime(Refusal):
    """A new install needs a time attested in this cycle (T-28)."""

    number = 62


class TimeTooFar(Refusal):
    """A step forward that no attestation may take (T-29)."""

    number = 63


# --- files -----------------------------------------------------------------------------------
class Unwanted(Refusal):
    number = 70


class WrongFile(Refusal):
    number = 71


class TooMuch(Refusal):
    """More bytes than announced."""

    number = 72


class SlowRetrieval(Refusal):
    number = 73


class Withheld(Refusal):
    """A file that this cycle cannot do without was said to be absent."""

    number = 74


# --- flash -----------------------------------------------------------------------------------
class FlashFault(Refusal):
    """What was programmed does not read back, or a range is out of bounds."""

    number = 80


class NoSpace(Refusal):
    number = 81


class Rotten(Refusal):
    """A stored record fails its check although its write was complete."""

    number = 82


class NotProvisioned(Refusal):
    number = 83


class RottenImage(Refusal):
    """The image that is to run is no longer the one that was verified: it is not started."""

    number = 84


class Overwritten(Refusal):
    """No image runs: the only place there is for one was being overwritten (T-32)."""

    number = 85


class TooOften(Refusal):
    """Cycles are begun faster than flash should be written (E-89)."""

    number = 86


# --- installation ----------------------------------------------------------------------------
class TrialFailed(Refusal):
    """The application on trial crashed or hung; the confirmed one runs again."""

    number = 90


class NothingStaged(Refusal):
    number = 91


class BadApplication(Refusal):
    """The image is verified but holds no application that can be started."""

    number = 92


class TrialsSpent(Refusal):
    """The image was tried as often as its bundle allows (S-43, S-44)."""

    number = 93


class BundleUndone(Refusal):
    """A bundle was given up before it was committed: every ECU keeps what it had (S-45)."""

    number = 94


class BundleBroken(Refusal):
    """The commit of a bundle came too late for an ECU: not all run its images (S-45)."""

    number = 95


# --- the link and the peer -------------------------------------------------------------------
class NoFlowControl(Refusal):
    """N_Bs ran out, or the receiver sent too many wait frames, or an unknown flow status."""

    number = 100


class FrameLost(Refusal):
    """N_Cr ran out, or a consecutive frame had the wrong sequence number."""

    number = 101


class Overflow(Refusal):
    """The receiver said that the message is too long for it."""

    number = 102


class NoReply(Refusal):
    """P2 or P2* ran out."""

    number = 103


class Negative(Refusal):
    """A negative response; the code is in `args[0]`."""

    number = 104


class PeerRefused(Refusal):
    """A Secondary ended its cycle with a refusal; its number is in `args[0]`."""

    number = 105


# --- encryption ------------------------------------------------------------------------------
class EncryptionDiffers(Refusal):
    """Plain where the entry says encrypted, or the reverse; another form than wanted (E-80)."""

    number = 110


class BadWrap(Refusal):
    """The content key does not open: wrapped for another ECU, image or ciphertext (E-80)."""

    number = 111


class NotARecipient(Refusal):
    """No content key is wrapped for this ECU, or for a kind of secret that it has not."""

    number = 112


# --- deltas ----------------------------------------------------------------------------------
class WrongBase(Refusal):
    """What lies in the slot is not what the delta was made from (E-81)."""

    number = 120


class UnsupportedDelta(Refusal):
    """A type, compression, window or layout of memory that this device cannot apply."""

    number = 121


class BadDelta(Refusal):
    """A delta that contradicts itself or its metadata, or reaches outside the images."""

    number = 122


# --- ECUs without a spare slot ---------------------------------------------------------------
class WrongPiece(Refusal):
    """A piece of what overwrites the image is not the one whose hash was signed (T-32)."""

    number = 123


class NotChained(Refusal):
    """What would overwrite the only image is not signed piece by piece (T-32)."""

    number = 124


# --- regions ---------------------------------------------------------------------------------
class NoRegion(Refusal):
    """The image replaces a region that this ECU does not have (S-25)."""

    number = 130
