"""The back office's own verifier: reports and manifests of vehicles, and its own role files.

It is made of libraries and shares no line with the verifier on the devices, so each can catch
the other's mistakes. Bytes are refused unless they are the one encoding of their
value, and a value unless it is what its model would write. It keeps no state: what was seen before
is the inventory's to know.
Rules: V-43, V-44, V-71, R-12, E-42, E-43, E-46, E-47, E-60, E-74, T-05, T-06, T-10, T-27.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from muptane.oem.encoding import decode, encode
from muptane.oem.envelopes import (
    Context,
    Sealed,
    read_sealed,
    read_sign,
    verify,
    verify_seal,
    verify_sign1,
)
from muptane.oem.errors import BelowThreshold, Malformed, NotAgreed, WrongPurpose, WrongVersion
from muptane.oem.fields import U32, U64_MAX, Hashes, Nonce, Seconds, Strict, VehicleId, ascending
from muptane.oem.keys import Holders, Key
from muptane.oem.maps import Listing, Map, read_map
from muptane.oem.metadata import BYTES_MAX, Role, Root, Snapshot, Timestamp
from muptane.oem.targets import Targets
from muptane.oem.time_server import Attestation
from uptane import ids, limits

ECUS_MAX = limits.SECONDARIES_MAX + 1
MANIFEST_BYTES_MAX = ECUS_MAX * (limits.REPORT_BYTES_MAX + 3) + limits.REPORT_BYTES_MAX

U64 = Annotated[int, Field(ge=0, le=U64_MAX)]
InRegion = tuple[Annotated[int, Field(ge=1, le=255)], U32]
Tried = tuple[Annotated[U32, Field(ge=1)], U32, Annotated[int, Field(ge=1, le=255)]]


class Report(Strict):
    """What one ECU says about itself (V-44). `attacks`: refusal numbers not yet acknowledged;
    `time`: the latest it verified, seconds; `boot`: one of ids.BOOT_...; `tried`: of its last
    trial, if it was one of a bundle, the bundle, the image, and how many trials that had;
    `regions`: (REGION_..., image) of each, if the ECU has several, and `image` is the last one."""

    ecu: U32
    image: U32
    length: U32
    hashes: Hashes
    release: U32
    attacks: tuple[U64, ...]
    time: Seconds
    counter: U32
    nonce: Nonce
    boot: Annotated[int, Field(ge=ids.BOOT_CONFIRMED, le=ids.BOOT_REWRITING)]
    tried: Tried | None = None
    regions: Annotated[tuple[InRegion, ...], Field(max_length=limits.REGIONS_MAX)] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not ascending([region for region, _ in self.regions]):
            raise ValueError("regions ascend, each once")
        return self

    def content(self) -> bytes:
        return encode(self.as_map())

    def as_map(self) -> dict[int, object]:
        """As it is read and written."""
        made: dict[int, object] = {
            ids.KEY_FORMAT: ids.FORMAT,
            ids.KEY_TYPE: ids.TYPE_REPORT,
            ids.REPORT_ID: self.ecu,
            ids.REPORT_IMAGE: [self.image, self.length, self.hashes, self.release],
            ids.REPORT_ATTACKS: list(self.attacks),
            ids.REPORT_TIME: self.time,
            ids.REPORT_COUNTER: self.counter,
            ids.REPORT_NONCE: self.nonce,
            ids.REPORT_BOOT: self.boot,
        }
        if self.tried is not None:
            made[ids.REPORT_BUNDLE] = list(self.tried)
        if self.regions:
            made[ids.REPORT_REGIONS] = [list(held) for held in self.regions]
        return made


class VehicleManifest(Strict):
    """What a Primary says about its vehicle (V-43). `reports`: report files as they came."""

    vehicle: VehicleId
    primary: U32
    reports: Annotated[tuple[bytes, ...], Field(min_length=1, max_length=ECUS_MAX)]
    counter: U32

    def content(self) -> bytes:
        return encode(self.as_map())

    def as_map(self) -> dict[int, object]:
        """As it is read and written."""
        return {
            ids.KEY_FORMAT: ids.FORMAT,
            ids.KEY_TYPE: ids.TYPE_VEHICLE,
            ids.VEHICLE_ID: self.vehicle,
            ids.VEHICLE_PRIMARY: self.primary,
            ids.VEHICLE_REPORTS: list(self.reports),
            ids.VEHICLE_COUNTER: self.counter,
        }


def read_report(raw: bytes) -> tuple[Report, Sealed]:
    """What a report file claims, and its seal. Nothing is verified: use it to find the key."""
    sealed = read_sealed(raw, limits.REPORT_BYTES_MAX)
    found = _content(sealed, ids.TYPE_REPORT)
    try:
        image, length, hashes, release = found[ids.REPORT_IMAGE]
        made = Report(
            ecu=found[ids.REPORT_ID],
            image=image,
            length=length,
            hashes=hashes,
            release=release,
            attacks=tuple(found[ids.REPORT_ATTACKS]),
            time=found[ids.REPORT_TIME],
            counter=found[ids.REPORT_COUNTER],
            nonce=found[ids.REPORT_NONCE],
            boot=found[ids.REPORT_BOOT],
            tried=tuple(found[ids.REPORT_BUNDLE]) if ids.REPORT_BUNDLE in found else None,
            regions=tuple(tuple(held) for held in found.get(ids.REPORT_REGIONS, ())),
        )
    except (KeyError, ValueError, TypeError) as fault:
        raise Malformed(f"not a version report: {fault}") from fault
    if made.as_map() != found:
        raise Malformed("not exactly a version report")
    return made, sealed


def read_manifest(raw: bytes) -> tuple[VehicleManifest, Sealed]:
    """What a vehicle version manifest claims, and its seal. Nothing is verified."""
    sealed = read_sealed(raw, MANIFEST_BYTES_MAX)
    found = _content(sealed, ids.TYPE_VEHICLE)
    try:
        made = VehicleManifest(
            vehicle=found[ids.VEHICLE_ID],
            primary=found[ids.VEHICLE_PRIMARY],
            reports=tuple(found[ids.VEHICLE_REPORTS]),
            counter=found[ids.VEHICLE_COUNTER],
        )
    except (KeyError, ValueError, TypeError) as fault:
        raise Malformed(f"not a vehicle version manifest: {fault}") from fault
    if made.as_map() != found:
        raise Malformed("not exactly a vehicle version manifest")
    return made, sealed


def check_seal(sealed: Sealed, key: Key, identity: bytes, kind: int) -> None:
    """Refuse with BadSeal what the ECU with `key` did not seal for this Director. `kind`:
    ids.TYPE_REPORT or TYPE_VEHICLE, as it was read."""
    verify_seal(sealed, key, Context(kind, identity, kind))


def verify_attestation(raw: bytes, key: Key, identity: bytes) -> Attestation:
    """What the time source with `key` attested, else BadSeal."""
    context = Context(ids.TIME, identity, ids.TIME)
    return Attestation.from_payload(verify_sign1(raw, key, context))


def verify_role(raw: bytes, keys: Sequence[Key], threshold: int, context: Context) -> Role:
    """The payload of a role file that `threshold` distinct of `keys` signed for `context`.

    The model is Root, Timestamp, Snapshot or Targets, as `context.type` says. Refuses with
    Malformed, NotDeterministic, TooLarge, BelowThreshold, WrongPurpose. Expiry and order of
    versions are not looked at.
    """
    return _verified(raw, Holders(threshold, tuple(keys)), context)


def verify_root_1(raw: bytes) -> Root:
    """A first Root, which its own keys sign for the repository that it founds."""
    payload, _ = read_sign(raw, BYTES_MAX[ids.ROOT])
    first = Root.from_payload(payload)
    if first.version != 1:
        raise WrongVersion(f"a repository is founded by Root 1, not by Root {first.version}")
    _verified(raw, first.holders(ids.ROOT), first.context(first.identity()))
    return first


def verify_next_root(raw: bytes, trusted: Root, identity: bytes) -> Root:
    """The Root after `trusted`, signed by a threshold of both (V-71.2.3, T-10)."""
    context = trusted.context(identity)
    made = _verified(raw, trusted.holders(ids.ROOT), context)
    if not isinstance(made, Root) or made.version != trusted.version + 1:
        raise WrongVersion(f"Root {trusted.version + 1} has to come, not {made.version}")
    _verified(raw, made.holders(ids.ROOT), context)
    return made


def verify_map(raw: bytes, current: Map, said: Mapping[int, Targets]) -> Map:
    """The map after `current`, to which all of its repositories agree (T-45): `said` is the newest
    Targets of each. Refuses like `read_map`; with WrongVersion an older map, with NotAgreed one
    that a repository does not list or that is for other repositories 1 and 2.
    """
    made = read_map(raw)
    if made.number <= current.number:
        raise WrongVersion(f"map {current.number} is there, {made.number} came")
    for repository in current.repositories:
        listed = said[repository].maps.get(made.number) if repository in said else None
        if listed != Listing.of(raw):
            raise NotAgreed(f"repository {repository} does not list this map {made.number}")
    for repository in (ids.DIRECTOR, ids.IMAGE):
        if made.repositories[repository] != current.repositories[repository]:
            raise NotAgreed(f"repository {repository} of the map is another one")
    return made


def _verified(raw: bytes, holders: Holders, context: Context) -> Role:
    payload, signatures = read_sign(raw, BYTES_MAX[context.type])
    if not 1 <= holders.threshold <= len(set(holders.keys)):
        raise BelowThreshold(f"{holders.threshold} of {len(set(holders.keys))} is no threshold")
    by_kid = {key.kid: key for key in holders.keys}
    signed = {
        by_kid[signature.kid]
        for signature in signatures
        if signature.kid in by_kid and verify(payload, signature, by_kid[signature.kid], context)
    }
    if len(signed) < holders.threshold:
        raise BelowThreshold(f"{len(signed)} of {holders.threshold} keys signed this")
    made = _model(payload, context)
    if made.number_of != context.number:
        raise WrongPurpose(f"role {made.number_of} came as role {context.number}")
    return made


def _model(payload: bytes, context: Context) -> Role:
    models: dict[int, type[Role]] = {
        ids.ROOT: Root,
        ids.TIMESTAMP: Timestamp,
        ids.SNAPSHOT: Snapshot,
        ids.TARGETS: Targets,
    }
    return models[context.type].from_payload(payload)


def _content(sealed: Sealed, kind: int) -> dict[int, Any]:
    found = decode(sealed.content, MANIFEST_BYTES_MAX)
    if not isinstance(found, dict):
        raise Malformed("a content is a map")
    if found.get(ids.KEY_FORMAT) != ids.FORMAT or found[ids.KEY_FORMAT] is True:
        raise Malformed("another format")
    if found.get(ids.KEY_TYPE) != kind:
        raise WrongPurpose(f"type {found.get(ids.KEY_TYPE)} came as type {kind}")
    return found
