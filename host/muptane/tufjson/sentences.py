"""What a refusal means to somebody who runs `muptane client`: sentence, likely cause, next step.

The numbers are the device's, and so are the words for them, but for those here, in which an ECU, a
board or the grammar of CBOR would mislead. Rules: V-36.
"""

from __future__ import annotations

from muptane.refusals import ADVICE, explain
from uptane import errors

Words = tuple[str, str, str]

# Of a TUF repository and of both of Uptane.
OURS: dict[type[errors.Refusal], Words] = {
    errors.TooDeep: (
        "objects are nested deeper than the client reads",
        "custom data with too much structure", "flatten the custom data and sign again"),
    errors.TooLong: (
        "a file has more bytes, signatures or roles than the client takes, or a chain is too long",
        "metadata outgrew its bounds (docs/pouf.md, T-23 and T-52), or somebody sends without end",
        "move targets into delegated roles; after many Roots only call it again"),
    errors.BadText: (
        "a name holds something that is no text in UTF-8",
        "half a surrogate in a name", "rename it and sign again"),
    errors.Unsupported: (
        "a file holds a value that has no canonical form, such as a fraction",
        "metadata of another tool", "use whole numbers, text, lists and objects"),
    errors.BadShape: (
        "a file is no JSON of TUF: a field is missing or of another type, or it is no JSON at all",
        "an address that leads to something else, or metadata of another tool",
        "open the file at its address and compare it with the TUF specification, chapter 4"),
    errors.BadEnvelope: (
        "one key id signs a file twice",
        "a tool that adds signatures without looking", "leave one of them out"),
    errors.BelowThreshold: (
        "too few keys of the role signed this file",
        "an unfinished signing, revoked keys, kinds of keys that the client does not know, or a "
        "forgery",
        "look which keys signed, let the missing holders sign, and suspect the path if none is "
        "missing"),
    errors.BadKey: (
        "a key lacks its type, scheme or public part, or a role is held by a key that is nowhere",
        "metadata of another tool", "correct the keys of the role and sign again"),
    errors.WrongFormat: (
        "the spec_version of a file is not 1",
        "the repository is of another generation", "use a client of that generation"),
    errors.Rollback: (
        "a version is lower than one that was accepted already",
        "an old copy was served, or the repository was restored from a backup",
        "publish the role again with a higher version"),
    errors.RootSkipped: (
        "a Root is not exactly one version above the trusted one",
        "an intermediate Root is missing or out of order",
        "serve every Root since the trusted one under its own version"),
    errors.VersionMismatch: (
        "a Targets file is not of the version that the Snapshot lists, or the Snapshot does not "
        "list it",
        "files of two publications were mixed, or a role was delegated to and not published",
        "serve Snapshot and Targets of the same publication"),
    errors.UnknownHash: (
        "a file is listed under a hash function that the client does not know",
        "metadata of another tool", "list SHA-256 or SHA-512 and no other"),
    errors.WrongHash: (
        "the bytes of a file are not the ones that its listed hash is of",
        "damage on the way, a wrong file, or a swapped one",
        "compare the hash of what lies at the address with the listed one"),
    errors.WrongLength: (
        "a file has another length than the listed one",
        "a transfer that was cut, or a wrong file", "serve the file that was listed"),
    errors.TooMuch: (
        "more bytes came than are listed for the target",
        "a wrong file, or somebody sends without end", "serve the file that was listed"),
    errors.NotProvisioned: (
        "the metadata folder has no Root, so there is nobody to trust",
        "init was never run on this folder, or another folder is meant",
        "get the repository's Root from somebody you trust and run: muptane client "
        "--metadata-dir FOLDER init ROOT"),
}  # fmt: skip
# Of a TUF repository alone.
TUF_ALONE: dict[type[errors.Refusal], Words] = {
    errors.NotOnImageRepository: (
        "the repository does not list this target",
        "another spelling of its name, or it was never published, or was withdrawn",
        "compare --target-name with the names in the repository's Targets"),
}  # fmt: skip


def say(refusal: errors.Refusal, is_uptane: bool) -> str:
    """One line for a refusal: its number, its name, and what there is to do."""
    number = refusal.number
    words = OURS.get(type(refusal))
    if not is_uptane:
        words = TUF_ALONE.get(type(refusal), words)
    told = explain(number)
    if words is not None:
        told = f"{words[0]} (likely cause: {words[1]}; next: {words[2]})"
    return f"refused ({number} {ADVICE[number].name}): {told}"
