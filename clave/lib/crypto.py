"""Keys derived from SECRET_KEY, one per purpose, and an encrypted text field."""

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models
from django.utils.crypto import constant_time_compare


def secret_keys() -> tuple[str, ...]:
    """Return SECRET_KEY followed by the former keys in SECRET_KEY_FALLBACKS."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=64)
def derived_key(secret: str, purpose: str) -> bytes:
    """Derive 32 bytes from a secret for one purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), 32, salt=None, info=f"clave/{purpose}".encode()).derive(secret.encode())


def keyed_hash(purpose: str, *parts: str) -> str:
    """Return the hex HMAC-SHA256 of `parts` under the key for `purpose`: useless to whoever steals the database."""
    return _keyed_hash(settings.SECRET_KEY, purpose, parts)


def keyed_hashes(purpose: str, *parts: str) -> tuple[str, ...]:
    """Return `keyed_hash` under the current key and under each former key, the current one first.

    Query with all of them, so that rows stored before a key rotation are still found. Store only the first.
    """
    return tuple(_keyed_hash(secret, purpose, parts) for secret in secret_keys())


def is_keyed_hash(given: str, purpose: str, *parts: str, length: int = 64) -> bool:
    """Return whether `given` equals the first `length` characters of any of `keyed_hashes`, in constant time."""
    return any(constant_time_compare(given, digest[:length]) for digest in keyed_hashes(purpose, *parts))


def _keyed_hash(secret: str, purpose: str, parts: tuple[str, ...]) -> str:
    mac = _mac(secret, purpose).copy()
    mac.update("\x1f".join(parts).encode())
    return mac.hexdigest()


@lru_cache(maxsize=64)
def _mac(secret: str, purpose: str) -> hmac.HMAC:
    return hmac.new(derived_key(secret, purpose), digestmod=hashlib.sha256)


def random_id() -> str:
    """Return an unguessable id of 32 hexadecimal digits."""
    return secrets.token_hex(16)


def fingerprint(text: str) -> str:
    """Return the hex SHA-256 of a random token, for looking it up without storing the token itself."""
    return hashlib.sha256(text.encode()).hexdigest()


def base64url(data: bytes) -> str:
    """Return bytes as base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def sha256_base64url(text: str) -> str:
    """Return the SHA-256 of a text as OAuth writes it: a PKCE challenge (RFC 7636), a token's hash (RFC 9449)."""
    return base64url(hashlib.sha256(text.encode()).digest())


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derived_key(key, "data"))) for key in keys])


def box() -> MultiFernet:
    """Return the cipher for data at rest; keys in SECRET_KEY_FALLBACKS still decrypt."""
    return _box(secret_keys())


def is_encrypted_under(secret: str, token: bytes) -> bool:
    """Return whether `box` encrypted this token under this particular secret key."""
    try:
        _box((secret,)).decrypt(token)
    except InvalidToken:
        return False
    return True


_SEAL_PREFIX, _NONCE_BYTES = "1.", 12


@lru_cache(maxsize=4)
def _ciphers(keys: tuple[str, ...]) -> list[AESGCM]:
    return [AESGCM(derived_key(key, "text")) for key in keys]


def seal(text: str) -> str:
    """Encrypt a text (AES-256-GCM, NIST SP 800-38D). Cheaper than Fernet, since every lookup decrypts some."""
    nonce = os.urandom(_NONCE_BYTES)
    return (
        _SEAL_PREFIX + base64.b64encode(nonce + _ciphers(secret_keys())[0].encrypt(nonce, text.encode(), None)).decode()
    )


def unseal(sealed: str) -> str:
    """Decrypt what `seal` encrypted, trying the current key and the fallbacks. Raises `InvalidTag`."""
    if not sealed.startswith(_SEAL_PREFIX):  # written before `seal` existed
        return box().decrypt(sealed.encode()).decode()
    packed = base64.b64decode(sealed[len(_SEAL_PREFIX) :])
    for cipher in _ciphers(secret_keys()):
        try:
            return cipher.decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], None).decode()
        except InvalidTag:
            continue
    raise InvalidTag


def is_sealed_under(secret: str, sealed: str) -> bool:
    """Return whether `seal` encrypted this text under this particular secret key."""
    if not sealed.startswith(_SEAL_PREFIX):
        return False
    packed = base64.b64decode(sealed[len(_SEAL_PREFIX) :])
    try:
        _ciphers((secret,))[0].decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], None)
    except InvalidTag:
        return False
    return True


class EncryptedTextField(models.TextField[str, str]):
    """Text encrypted at rest. The database cannot search it."""

    def get_prep_value(self, value: str | None) -> str | None:
        return seal(value) if value else value

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return unseal(value) if value else value
