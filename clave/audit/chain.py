"""The links of the chain: what a seal's HMAC covers, and the keys it may have been made under."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from datetime import UTC

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clave.audit.models import Entry, Seal, SealKind
from clave.lib.crypto import derived_key, secret_keys

VERSION = 2
_NONCE_BYTES = 12


def key_id(key: bytes) -> str:
    """Return what a seal calls its key: 16 hex characters from which the key cannot be found."""
    return hashlib.sha256(b"clave/audit-key-id/" + key).hexdigest()[:16]


def configured_keys() -> dict[str, bytes]:
    """Return the keys derived from the secret key and its fallbacks by their id, the present one first."""
    keys = [derived_key(secret, "audit") for secret in secret_keys()]
    return {key_id(key): key for key in keys}


def known_keys() -> dict[str, bytes]:
    """Return every key with which the chain can be verified, by its id.

    A change of key hands the former one on, encrypted under the new one, so that verification needs no fallback.
    """
    keys = configured_keys()
    for number in Seal.objects.filter(kind=SealKind.KEY_CHANGED).order_by("-pk").values_list("pk", flat=True):
        seal = readable_seals([number]).get(number)
        if seal is None or not isinstance(seal.note, dict):
            continue
        handed = str(seal.note.get("former_key", ""))
        former = unwrapped(handed, keys[seal.key]) if seal.key in keys else None
        if former is not None:
            keys.setdefault(key_id(former), former)
    return keys


def readable_seals(numbers: list[int]) -> dict[int, Seal]:
    """Return the seals of these numbers, without those that the database's owner made unreadable."""
    try:
        return Seal.objects.in_bulk(numbers)
    except Exception:  # a moment that is none, JSON without end: each store and type has errors of its own
        if len(numbers) == 1:
            return {}
    half = len(numbers) // 2
    return readable_seals(numbers[:half]) | readable_seals(numbers[half:])


def wrapped(former: bytes, key: bytes) -> str:
    """Return a former key encrypted under its successor (AES-256-GCM, NIST SP 800-38D)."""
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + _wrapping(key).encrypt(nonce, former, None)).decode()


def unwrapped(handed: str, key: bytes) -> bytes | None:
    """Return what `wrapped` encrypted; None if it was not encrypted under this key."""
    try:
        packed = base64.b64decode(handed, validate=True)
        return _wrapping(key).decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], None)
    except (ValueError, InvalidTag):
        return None


def _wrapping(key: bytes) -> AESGCM:
    return AESGCM(derived_key(key.hex(), "audit-key-wrapping"))


def mac_of(seal: Seal, entries: Sequence[Entry], key: bytes) -> str:
    """Return the hex HMAC-SHA256 that belongs on a seal over these entries."""
    digests = [_digest(entry) for entry in entries]
    if seal.version == 1:
        return _hmac(key, "\x1f".join([seal.previous, *digests]))
    at = seal.at.astimezone(UTC).isoformat()
    content = [VERSION, seal.pk, seal.kind, seal.key, at, seal.note, seal.previous, digests]
    return _hmac(key, json.dumps(content, sort_keys=True))


def is_genuine(seal: Seal, entries: Sequence[Entry], keys: dict[str, bytes]) -> bool:
    """Say whether a seal's HMAC is right; one of version 1 does not name its key, any may be it."""
    candidates = list(keys.values()) if seal.version == 1 else [keys[seal.key]]
    mac = str(seal.mac).encode()
    return any(hmac.compare_digest(mac_of(seal, entries, key).encode(), mac) for key in candidates)


def _hmac(key: bytes, message: str) -> str:
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()


def _digest(entry: Entry) -> str:
    content = [
        entry.pk,
        entry.at.isoformat(),
        entry.action,
        entry.outcome,
        entry.subject,
        entry.address,
        entry.agent,
        json.dumps(entry.detail, sort_keys=True),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
