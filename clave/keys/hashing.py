"""Argon2id, as many at once as there are cores: more only push each other out of the cache."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from django.conf import settings

MAX_SECRET_LENGTH = 128


class TooLong(ValueError):
    """The secret is longer than any policy allows; it is refused before it costs a hash."""


@lru_cache(maxsize=4)
def _hasher(memory: int, time: int, parallelism: int) -> PasswordHasher:
    return PasswordHasher(
        time_cost=time, memory_cost=memory, parallelism=parallelism, hash_len=32, salt_len=16, type=Type.ID
    )


def hasher() -> PasswordHasher:
    """Return Argon2id with the parameters of the settings (KiB, passes, lanes)."""
    return _hasher(settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME, settings.ARGON2_PARALLELISM)


class Slots:
    """A limit on concurrent hashes shared by all processes of this machine: one locked file a slot.

    The kernel gives a dead process's lock back, which a counter in shared memory would not.
    """

    def __init__(self) -> None:
        self._turn = count(os.getpid())
        self._local = threading.local()

    def _files(self) -> list[int]:
        # One open file a thread and process: locks belong to the open file, not to the process.
        if getattr(self._local, "pid", None) != os.getpid():
            folder = settings.CLAVE_HOME / "hash-slots"
            folder.mkdir(exist_ok=True)
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
            self._local.files = [os.open(folder / str(n), flags, 0o600) for n in range(settings.HASH_SLOTS)]
            self._local.pid = os.getpid()
        return self._local.files  # type: ignore[no-any-return]

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold one slot, waiting for it if all are taken."""
        files = self._files()
        first = next(self._turn)
        for step in range(len(files)):
            taken = files[(first + step) % len(files)]
            try:
                fcntl.flock(taken, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                continue
        else:
            taken = files[first % len(files)]
            fcntl.flock(taken, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(taken, fcntl.LOCK_UN)


_slots = Slots()


def make(secret: str) -> str:
    """Return the Argon2id hash of `secret`. Raises `TooLong`."""
    if len(secret) > MAX_SECRET_LENGTH:
        raise TooLong
    with _slots.one():
        return hasher().hash(secret)


def matches(stored: str | None, secret: str) -> bool:
    """Say whether `secret` has this hash. Without a stored hash the answer is no and costs the same time."""
    if len(secret) > MAX_SECRET_LENGTH:
        return False
    with _slots.one():
        try:
            return hasher().verify(stored or _nobody(), secret) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


@lru_cache(maxsize=1)
def _nobody() -> str:
    return hasher().hash(os.urandom(16).hex())


def outdated(stored: str) -> bool:
    """Say whether the hash was made with other parameters than today's."""
    return hasher().check_needs_rehash(stored)
