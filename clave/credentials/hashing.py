"""Argon2id hashing, limited across all web processes to as many concurrent hashes as the machine has cores.

Single-lane hashes, the usual case, are computed by libsodium, which selects AVX2 or AVX-512 at run time and takes half
the time of argon2-cffi (decision 0029); the rest by argon2-cffi. Both write the same format (PHC strings).
"""

import os
import threading
from functools import lru_cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from django.conf import settings
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

MAX_SECRET_LENGTH = 128


class TooLong(ValueError):
    """The secret is longer than any policy allows; rejected before it costs a hash."""


@lru_cache(maxsize=4)
def _hasher(memory: int, time: int, parallelism: int) -> PasswordHasher:
    return PasswordHasher(
        time_cost=time, memory_cost=memory, parallelism=parallelism, hash_len=32, salt_len=16, type=Type.ID
    )


def hasher() -> PasswordHasher:
    """Return argon2-cffi's Argon2id hasher with the parameters from the settings (KiB, passes, lanes)."""
    return _hasher(settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_PARALLELISM)


# Concurrent hashes on one core only evict each other's memory from its cache; each worker has one core (CLAVE_WORKERS).
_hash_slots = threading.BoundedSemaphore(settings.HASHES_AT_ONCE)


def hash_secret(secret: str) -> str:
    """Return the Argon2id hash of `secret`. Raises `TooLong`."""
    if len(secret) > MAX_SECRET_LENGTH:
        raise TooLong
    with _hash_slots:
        return _hash(secret)


def matches(stored: str | None, secret: str) -> bool:
    """Return whether `secret` matches this hash. Without a stored hash, return False after the same amount of work."""
    if len(secret) > MAX_SECRET_LENGTH:
        return False
    with _hash_slots:
        return _verifies(stored or _dummy_hash(), secret) and stored is not None


def needs_rehash(stored: str) -> bool:
    """Return whether the hash was made with parameters other than the current ones."""
    return hasher().check_needs_rehash(stored)


def _hash(secret: str) -> str:
    if settings.ARGON2_PARALLELISM > 1:
        return hasher().hash(secret)
    memory_bytes = settings.ARGON2_MEMORY_KIB * 1024
    return argon2id.str(secret.encode(), opslimit=settings.ARGON2_TIME, memlimit=memory_bytes).decode()


def _verifies(stored: str, secret: str) -> bool:
    try:
        if ",p=1$" in stored:
            return argon2id.verify(stored.encode(), secret.encode())
        return hasher().verify(stored, secret)
    except (CryptoError, ValueError, VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    return _hash(os.urandom(16).hex())
