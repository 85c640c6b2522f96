"""Keys derived from SECRET_KEY, one per purpose, and a text field kept encrypted."""

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models
from django.utils.crypto import constant_time_compare


def secret_keys() -> tuple[str, ...]:
    """Return SECRET_KEY and, after it, the former ones that SECRET_KEY_FALLBACKS names."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=64)
def derived_key(secret: str, purpose: str) -> bytes:
    """Return 32 bytes derived from a secret for one purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), 32, salt=None, info=f"clave/{purpose}".encode()).derive(secret.encode())


def keyed_hash(purpose: str, *parts: str) -> str:
    """Return the hex HMAC-SHA256 of `parts` under the key of `purpose`: useless to a thief of the database."""
    return _keyed_hash(settings.SECRET_KEY, purpose, parts)


def keyed_hashes(purpose: str, *parts: str) -> tuple[str, ...]:
    """Return `keyed_hash` under the present key and under each former one, the present one first.

    Look rows up by any of these: what was stored before a change of key is still found. Store only the first.
    """
    return tuple(_keyed_hash(secret, purpose, parts) for secret in secret_keys())


def is_keyed_hash(given: str, purpose: str, *parts: str, length: int = 64) -> bool:
    """Say, comparing in constant time, whether `given` is the first `length` characters of one of `keyed_hashes`."""
    return any(constant_time_compare(given, made[:length]) for made in keyed_hashes(purpose, *parts))


def _keyed_hash(secret: str, purpose: str, parts: tuple[str, ...]) -> str:
    mac = _mac(secret, purpose).copy()
    mac.update("\x1f".join(parts).encode())
    return mac.hexdigest()


@lru_cache(maxsize=64)
def _mac(secret: str, purpose: str) -> hmac.HMAC:
    return hmac.new(derived_key(secret, purpose), digestmod=hashlib.sha256)


def random_id() -> str:
    """Return 32 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(16)


def fingerprint(text: str) -> str:
    """Return the hex SHA-256 of a random token, for looking it up without storing it."""
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derived_key(key, "data"))) for key in keys])


def box() -> MultiFernet:
    """Return the cipher for data at rest; SECRET_KEY_FALLBACKS still decrypt."""
    return _box(secret_keys())


def is_boxed_under(secret: str, token: bytes) -> bool:
    """Say whether `box` encrypted this under one secret key, leaving the others aside."""
    try:
        _box((secret,)).decrypt(token)
    except InvalidToken:
        return False
    return True


_SEALED, _NONCE_BYTES = "1.", 12


@lru_cache(maxsize=4)
def _ciphers(keys: tuple[str, ...]) -> list[AESGCM]:
    return [AESGCM(derived_key(key, "text")) for key in keys]


def seal(text: str) -> str:
    """Return a text encrypted (AES-256-GCM, NIST SP 800-38D): lighter than Fernet, for every lookup opens some."""
    nonce = os.urandom(_NONCE_BYTES)
    return _SEALED + base64.b64encode(nonce + _ciphers(secret_keys())[0].encrypt(nonce, text.encode(), None)).decode()


def unseal(sealed: str) -> str:
    """Return what `seal` encrypted, under any of the present keys. Raises `InvalidTag`."""
    if not sealed.startswith(_SEALED):  # stored before there was `seal`
        return box().decrypt(sealed.encode()).decode()
    packed = base64.b64decode(sealed[len(_SEALED) :])
    for cipher in _ciphers(secret_keys()):
        try:
            return cipher.decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], None).decode()
        except InvalidTag:
            continue
    raise InvalidTag


def is_sealed_under(secret: str, sealed: str) -> bool:
    """Say whether `seal` encrypted this under one secret key, leaving the others aside."""
    if not sealed.startswith(_SEALED):
        return False
    packed = base64.b64decode(sealed[len(_SEALED) :])
    try:
        _ciphers((secret,))[0].decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], None)
    except InvalidTag:
        return False
    return True


class EncryptedTextField(models.TextField[str, str]):
    """Text that the database sees only encrypted. It cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        return seal(value) if value else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return unseal(value) if value else value
