"""Thresholds: are these bytes signed by enough distinct keys of a role?

Signatures are counted by key, each key once, whatever the envelope repeats; unknown keys and
signatures that do not verify are ignored, not refused, and are dropped from what is returned, so
they are never stored. It does NOT know roles, versions or time, and reads nothing of the payload.
Rules: V-71.2.3, V-72.2, V-73.3, V-74.3, V-91, T-06, T-27, E-43, E-44.
"""

from uptane.errors import BelowThreshold

if False:  # for the type checker
    from errand import Envelope, Keyholders, Signatures, SignParts, Work
    from uptane.crypto.suite import Suite


def verify_threshold(
    suite: "Suite",
    sign_parts: "SignParts",
    envelope: "Envelope",
    keyholders: "Keyholders",
    aad: bytes,
) -> "Work[Signatures]":
    """Return those [(kid, signature), ...] that make up the threshold; stop there.

    `sign_parts(payload, aad, signature)` says what a signature covers, `aad` what it is for.
    `keyholders` is (threshold, {kid: public key}); distinct kids are distinct keys, as whoever
    reads the keys has seen to.
    Refusal: BelowThreshold.
    """
    threshold, keys = keyholders
    counted: list[bytes] = []
    good = []
    for kid, signature in envelope.signatures:
        if len(counted) >= threshold:
            break
        if kid not in keys or kid in counted:
            continue
        parts = sign_parts(envelope.payload, aad, signature)
        if (yield from suite.verify(keys[kid], parts, signature)):
            counted.append(kid)
            good.append((kid, signature))
    if len(counted) < threshold:
        raise BelowThreshold
    return good
