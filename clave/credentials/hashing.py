"""Argon2id, as many at once in all web processes together as the machine has cores.

Hashes with one lane, the usual case, are made by libsodium, which picks AVX2 or AVX-512 when it runs and takes half the
time of argon2-cffi (decision 0029); the rest by argon2-cffi. Both write the same hashes (PHC string format).
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
    """The secret is longer than any policy allows; it is refused before it costs a hash."""


@lru_cache(maxsize=4)
def _hasher(memory: int, time: int, parallelism: int) -> PasswordHasher:
    return PasswordHasher(
        time_cost=time, memory_cost=memory, parallelism=parallelism, hash_len=32, salt_len=16, type=Type.ID
    )


def hasher() -> PasswordHasher:
    """Return argon2-cffi's Argon2id with the parameters of the settings (KiB, passes, lanes)."""
    return _hasher(settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_PARALLELISM)


# Two hashes on one core only push each other's memory out of its cache; a worker has one core (CLAVE_WORKERS).
_turn = threading.BoundedSemaphore(settings.HASHES_AT_ONCE)


def make(secret: str) -> str:
    """Return the Argon2id hash of `secret`. Raises `TooLong`."""
    if len(secret) > MAX_SECRET_LENGTH:
        raise TooLong
    with _turn:
        return _hash(secret)


def matches(stored: str | None, secret: str) -> bool:
    """Say whether `secret` has this hash. Without a stored hash the answer is no and costs the same time."""
    if len(secret) > MAX_SECRET_LENGTH:
        return False
    with _turn:
        return _verifies(stored or _nobody(), secret) and stored is not None


def outdated(stored: str) -> bool:
    """Say whether the hash was made with other parameters than today's."""
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
def _nobody() -> str:
    return _hash(os.urandom(16).hex())
