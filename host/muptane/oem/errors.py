"""What the back office refuses, each with a sentence for the person who reads it.

These are not the device's refusals (`uptane.errors`), which are numbers on a wire: they never
leave the computer. A class says what kind of thing happened, its text names the offender.
"""


class OemRefusal(Exception):
    """The back office did nothing; the text says why."""


# --- bytes -------------------------------------------------------------------------------------
class Malformed(OemRefusal):
    """Not the grammar of docs/pouf.cddl."""


class NotDeterministic(OemRefusal):
    """Another encoding of the same value exists, so these bytes are not ours (E-60)."""


class TooLarge(OemRefusal):
    """More bytes than a device would take (T-52)."""


# --- signatures --------------------------------------------------------------------------------
class BadKey(OemRefusal):
    """Not a point of prime order on the curve, or not a secret of the right length."""


class BelowThreshold(OemRefusal):
    """Not enough distinct keys signed (E-43)."""


class BadSeal(OemRefusal):
    """A report or a manifest that its signer did not sign (E-74)."""


class WrongPurpose(OemRefusal):
    """Signed as something else (E-46, E-47)."""


class NotAgreed(OemRefusal):
    """A map that not all repositories of the current one list (T-45)."""


class WrongVersion(OemRefusal):
    """Not the version that has to come here."""


class WrongPassphrase(OemRefusal):
    """The key store does not open."""


class NoSigner(OemRefusal):
    """A private key that this act needs is not at hand."""


# --- images ------------------------------------------------------------------------------------
class ImageNumberUsed(OemRefusal):
    """An image number names one release and is never reused (V-85)."""


class UnknownImage(OemRefusal):
    """No image of this number was released."""


class WrongHardware(OemRefusal):
    """The image is not made for this hardware (V-86)."""


class ReleaseDowngrade(OemRefusal):
    """A lower release counter than the ECU already runs (R-41)."""


class ReleaseLeap(OemRefusal):
    """A release counter so far above what the ECU runs that it would refuse it (E-16)."""


class Unsolvable(OemRefusal):
    """No images that the vehicle could run together have what is wanted among them (R-14)."""


class AlreadyWanted(OemRefusal):
    """What an image asks of its vehicle came after the image was wanted on one (S-14)."""


class UnknownCampaign(OemRefusal):
    """No campaign of that name was made."""


class CampaignNameUsed(OemRefusal):
    """Another campaign has that name, and its record stays (R-32)."""


class NoTestVehicles(OemRefusal):
    """A campaign begins on reserved vehicles, and none is concerned (S-16)."""


class GateClosed(OemRefusal):
    """The wave before has not shown yet that the next may begin (S-16, S-17)."""


class CampaignEnded(OemRefusal):
    """A campaign that was stopped does not go on; another one may begin (S-17)."""


class NotAnApplication(OemRefusal):
    """A folder that an ECU could not start."""


class NoDecryptionKey(OemRefusal):
    """An ECU that could not open what is encrypted for it (V-24)."""


class ContentKeyUsed(OemRefusal):
    """A content key that has encrypted something already: a random source that repeats itself."""


class NoDelta(OemRefusal):
    """A delta that cannot be made, or that no ECU could apply (E-81)."""


# --- suppliers ---------------------------------------------------------------------------------
class NotDelegated(OemRefusal):
    """A role, or an image, that nobody left to this supplier (R-06, E-91)."""


class Expired(OemRefusal):
    """A delivered file that is too old to be published."""


class LivesTooLong(OemRefusal):
    """A delivered file that is valid for longer than was agreed with the supplier (R-36)."""


class ReleaseNotRaised(OemRefusal):
    """A new image whose release counter an older one has already, so that a stolen Director could
    go back to that one (S-09)."""


class HashesDiffer(OemRefusal):
    """What came by the second channel is not said of this delivery (S-10)."""


class Unconfirmed(OemRefusal):
    """Hashes that nobody confirmed by a second channel, where that was agreed, or where nothing
    else says whose images these are (S-10)."""


class StillWaiting(OemRefusal):
    """Images for a delegation of several roles, not all of which gave a first file (T-41)."""


class NoTerms(OemRefusal):
    """A supplier to whom the car maker has not said yet what he may deliver."""


class RangeTaken(OemRefusal):
    """Image numbers, or a role, that are left to another supplier already (R-36)."""


# --- the inventory -----------------------------------------------------------------------------
class WrongSchema(OemRefusal):
    """A database that is no inventory, or one of an older or newer program."""


class Overtaken(OemRefusal):
    """Another transaction wrote what this one was about to; the same again may go well."""


# --- vehicles ----------------------------------------------------------------------------------
class WrongRegion(OemRefusal):
    """An image for a region that an ECU does not have, or that is too small there (S-25)."""


class AlreadyRegistered(OemRefusal):
    """A vehicle, an ECU id or a key that the inventory knows already (E-75)."""


class BadVehicle(OemRefusal):
    """A vehicle that no update could reach, such as one with two Primaries."""


class UnknownVehicle(OemRefusal):
    """Not in the inventory (R-10)."""


class ForeignVehicle(OemRefusal):
    """A manifest of another vehicle than the one that sent it (E-74)."""


class UnknownEcu(OemRefusal):
    """Not in the inventory of this vehicle (R-12)."""


class NotThePrimary(OemRefusal):
    """A manifest by an ECU that is not this vehicle's Primary (R-12)."""


class EcuTwice(OemRefusal):
    """Two reports by one ECU in one manifest."""


class AlreadyReplaced(OemRefusal):
    """An ECU that is not in its vehicle any more (R-42)."""


class ReportMissing(OemRefusal):
    """An inventoried ECU that the manifest leaves out (R-12, E-72)."""


class Replayed(OemRefusal):
    """A counter that is not above the last one seen (R-13, E-73)."""


# --- the office over HTTP ----------------------------------------------------------------------
class Exposed(OemRefusal):
    """A server that would let secrets travel in the clear."""


class Unreachable(OemRefusal):
    """A server that does not answer, or not as the office would."""


# --- backups -----------------------------------------------------------------------------------
class TargetFault(OemRefusal):
    """A place for backups that cannot be read or written."""


class BackupDamaged(OemRefusal):
    """A backup, or the series of them, that is not as it was signed."""


class Tampered(OemRefusal):
    """An office that is not what it was: no backup is made of it."""


class NotEmpty(OemRefusal):
    """A place to restore to in which there is something."""


class NotAdvanced(OemRefusal):
    """A restored office that would sign versions that vehicles have left behind."""
