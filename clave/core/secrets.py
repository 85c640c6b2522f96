"""Keys derived from SECRET_KEY, one per purpose, and a text field kept encrypted."""

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


@lru_cache(maxsize=64)
def derived_key(secret: str, purpose: str) -> bytes:
    """Return 32 bytes derived from a secret for one purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), 32, salt=None, info=f"clave/{purpose}".encode()).derive(secret.encode())


def keyed_hash(purpose: str, *parts: str) -> str:
    """Return the hex HMAC-SHA256 of `parts` under the key of `purpose`: useless to a thief of the database."""
    message = "\x1f".join(parts).encode()
    return hmac.new(derived_key(settings.SECRET_KEY, purpose), message, hashlib.sha256).hexdigest()


def fingerprint(text: str) -> str:
    """Return the hex SHA-256 of a random token, for looking it up without storing it."""
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derived_key(key, "data"))) for key in keys])


def box() -> MultiFernet:
    """Return the cipher for data at rest; SECRET_KEY_FALLBACKS still decrypt."""
    return _box((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


class EncryptedTextField(models.TextField[str, str]):
    """Text that the database sees only encrypted (Fernet). It cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        return box().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return box().decrypt(value.encode()).decode() if value else value
