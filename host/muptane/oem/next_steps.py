"""What a person does about a refusal in the trade with suppliers, by its kind.

A refusal's text says what happened, the docstring of its class why that is refused, a table for
each side what to do next; `explain` puts the three together. It does not decide anything.
Rules: S-05, S-13, E-91.
"""

from collections.abc import Mapping
from inspect import getdoc
from types import MappingProxyType

from muptane.oem import errors
from muptane.oem.errors import OemRefusal

TEXT_CHARS_MAX = 500
STEPS: Mapping[type[OemRefusal], str] = MappingProxyType(
    {
        errors.Malformed: "ask the supplier to make the delivery again with `muptane supplier "
        "pack`, and compare the SHA-256 of the file that he sent with the one that arrived",
        errors.NoTerms: "write terms for him with `muptane oem supplier add`",
        errors.NotDeterministic: "ask which program wrote these bytes; `muptane supplier sign` "
        "writes the only encoding that vehicles take",
        errors.TooLarge: "let him deliver less at a time, or take old images off his list with "
        "`muptane supplier pack --withdraw`",
        errors.BadKey: "ask the supplier for a new card; never correct a key by hand",
        errors.BelowThreshold: "let as many of his keys as were agreed sign with `muptane "
        "supplier sign`; if he did, call him by a number that you have long known: somebody else "
        "may have sent this",
        errors.WrongPurpose: "ask which repository and role he signed for; `muptane supplier "
        "join` takes the terms that you gave him",
        errors.WrongVersion: "see `muptane oem deliveries` whether this one was taken already; "
        "else let him pack it again, which raises the version",
        errors.WrongPassphrase: "try the passphrase again; if it is right, the folder was altered",
        errors.NoSigner: "bring the folder that has the private keys",
        errors.ImageNumberUsed: "let him deliver the new image under a number never used before",
        errors.UnknownImage: "let him deliver every image that he lists, as he listed it; what was"
        " in a refused delivery comes again with `muptane supplier pack --add`",
        errors.ReleaseLeap: "let him raise the release counter by less: counters never go back",
        errors.NotDelegated: "see `muptane oem supplier list` for what is left to whom; call the "
        "supplier: it is his mistake, or somebody uses his keys",
        errors.Expired: "let him pack and sign it again; this file was left lying, or is replayed",
        errors.LivesTooLong: "let him join with the terms that you gave him, then pack and sign "
        "again",
        errors.ReleaseNotRaised: "let him raise the release counter above every older image's",
        errors.HashesDiffer: "take nothing of it; find out on a line that you trust which of the "
        "two is not his",
        errors.Unconfirmed: "get his signed list and give it by --hashes, or let him read the "
        "words aloud with --words",
        errors.StillWaiting: "receive the first files of the other roles, then this one again",
        errors.RangeTaken: "choose other image numbers, or other hardware",
        errors.AlreadyRegistered: "choose another number for the role",
        errors.WrongSchema: "copy the inventory, then migrate it as said, or take the program that"
        " made it",
        errors.WrongRegion: "want an image of regions that this ECU has room for",
        errors.Unsolvable: "want an image that goes with the others, or as a bundle what goes"
        " together only",
        errors.AlreadyWanted: "release the image under another number, with what it asks",
        errors.UnknownCampaign: "see `muptane oem campaign list`",
        errors.CampaignNameUsed: "choose another name; what came of the other one stays known",
        errors.NoTestVehicles: "reserve a vehicle that the images are for with `muptane oem"
        " reserve`",
        errors.GateClosed: "see `muptane oem campaign show` for what is missing, and wait for"
        " reports; or stop it",
        errors.CampaignEnded: "find out what went wrong, release another image, and make another"
        " campaign",
        errors.UnknownVehicle: "see whether the id is right: vehicles are registered when they"
        " are made",
        errors.UnknownEcu: "name an ECU that this vehicle has today",
        errors.WrongHardware: "want an image that is for this ECU's hardware",
        errors.ReleaseDowngrade: "release what it should go back to under a higher counter",
    }
)
ELSE = "do nothing with it, and ask the other side"
SUPPLIERS_STEPS: Mapping[type[OemRefusal], str] = MappingProxyType(
    {
        errors.AlreadyRegistered: "choose an empty folder",
        errors.BadKey: "ask whoever sent the card for a new one",
        errors.ImageNumberUsed: "give the new image a number that was never used",
        errors.Malformed: "make it again, or ask whoever sent it to do so",
        errors.NoSigner: "see `muptane supplier init --keys` and your terms for who signs",
        errors.NoTerms: "send card.json to the car maker, then `muptane supplier join` with what "
        "he sends back",
        errors.NotDelegated: "ask the car maker for other terms, or keep to those you have",
        errors.TooLarge: "deliver less at a time, or take old images off the list with --withdraw",
        errors.UnknownImage: "look at the list with `muptane supplier sign`, and pack again",
        errors.WrongPassphrase: "try it again; if it is right, the folder was altered",
        errors.WrongPurpose: "use the folder of that role",
        errors.WrongVersion: "pack it again, which makes a new version",
    }
)
Steps = Mapping[type[OemRefusal], str]


def reason(kind: type[OemRefusal]) -> str:
    """Why this kind of thing is refused, without a full stop."""
    return " ".join((getdoc(kind) or "").split()).removesuffix(".")


def explain(refusal: OemRefusal, steps: Steps) -> str:
    """What, why, what next, in three lines. `steps`: STEPS for the car maker, SUPPLIERS_STEPS for
    a supplier at work."""
    return (
        f"{plain(str(refusal))}\n"
        f"  why:  {type(refusal).__name__}: {reason(type(refusal))}\n"
        f"  next: {steps.get(type(refusal), ELSE)}"
    )


def plain(text: str) -> str:
    """In one line of printable ASCII: a refusal may quote what a stranger wrote."""
    line = " ".join(text.split())
    kept = "".join(char if " " <= char <= "~" else "?" for char in line)
    return kept if len(kept) <= TEXT_CHARS_MAX else kept[: TEXT_CHARS_MAX - 3] + "..."
