"""Links of the chain: what a seal's HMAC covers, and the keys it may have been made under."""

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
    """Return the id by which seals name a key: 16 hex characters that do not reveal it."""
    return hashlib.sha256(b"clave/audit-key-id/" + key).hexdigest()[:16]


def configured_keys() -> dict[str, bytes]:
    """Return the keys derived from the secret key and its fallbacks, by id, the current one first."""
    keys = [derived_key(secret, "audit") for secret in secret_keys()]
    return {key_id(key): key for key in keys}


def known_keys() -> dict[str, bytes]:
    """Return every key that can verify part of the chain, by id.

    A key change records the former key encrypted under the new one, so verification does not need the fallbacks.
    """
    keys = configured_keys()
    for number in Seal.objects.filter(kind=SealKind.KEY_CHANGED).order_by("-pk").values_list("pk", flat=True):
        seal = readable_seals([number]).get(number)
        if seal is None or not isinstance(seal.note, dict):
            continue
        wrapped_key = str(seal.note.get("former_key", ""))
        former = unwrapped(wrapped_key, keys[seal.key]) if seal.key in keys else None
        if former is not None:
            keys.setdefault(key_id(former), former)
    return keys


def readable_seals(numbers: list[int]) -> dict[int, Seal]:
    """Return the seals with these numbers, omitting any that the database's owner made unreadable."""
    try:
        return Seal.objects.in_bulk(numbers)
    except Exception:  # an invalid timestamp, malformed JSON: each backend and type raises its own errors
        if len(numbers) == 1:
            return {}
    half = len(numbers) // 2
    return readable_seals(numbers[:half]) | readable_seals(numbers[half:])


def wrapped(former: bytes, key: bytes) -> str:
    """Encrypt a former key under its successor (AES-256-GCM, NIST SP 800-38D)."""
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + _wrapping_cipher(key).encrypt(nonce, former, None)).decode()


def unwrapped(handed: str, key: bytes) -> bytes | None:
    """Decrypt what `wrapped` encrypted; return None if it was not encrypted under this key."""
    try:
        packed = base64.b64decode(handed, validate=True)
        return _wrapping_cipher(key).decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], None)
    except (ValueError, InvalidTag):
        return None


def _wrapping_cipher(key: bytes) -> AESGCM:
    return AESGCM(derived_key(key.hex(), "audit-key-wrapping"))


def mac_of(seal: Seal, entries: Sequence[Entry], key: bytes) -> str:
    """Return the hex HMAC-SHA256 a seal over these entries must have."""
    digests = [_digest(entry) for entry in entries]
    if seal.version == 1:
        return _hmac(key, "\x1f".join([seal.previous, *digests]))
    at = seal.at.astimezone(UTC).isoformat()
    content = [VERSION, seal.pk, seal.kind, seal.key, at, seal.note, seal.previous, digests]
    return _hmac(key, json.dumps(content, sort_keys=True))


def is_genuine(seal: Seal, entries: Sequence[Entry], keys: dict[str, bytes]) -> bool:
    """Return whether a seal's HMAC is valid. Version 1 seals do not name their key, so every known key is tried."""
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
