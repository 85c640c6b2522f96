"""A form that changes something does it once: double click, retry after a lost answer, resend after a failover.

The form carries a random key. Whoever posts it first claims it; a second post of the same form waits for
the first and shows the same result. A claim whose owner died is taken over after a minute.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from cryptography.fernet import Fernet
from django.db import IntegrityError, transaction

from clave.core import clock
from clave.core.models import Submission
from clave.core.outcome import Outcome
from clave.core.secrets import fingerprint
from clave.core.visit import Visit

_STALE = timedelta(seconds=60)
_WAIT_SECONDS = 20.0
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Done:
    """What an earlier post of the same form achieved; `secret` only for who holds the form's key."""

    reference: str
    kind: str
    facts: dict[str, object]
    secret: str = ""


def new_key() -> str:
    """Return a key for one showing of a form."""
    return secrets.token_urlsafe(18)


def _cipher(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"submission/" + key.encode()).digest()))


@contextmanager
def once(visit: Visit) -> Iterator[Done | None]:
    """Claim the visit's submission key. Yields what an earlier post achieved, or None: do it now.

    Unless `finish` was called inside, the claim is given back, so that a corrected form may be posted.
    """
    reference = fingerprint(visit.submission)
    done = _claim_or_wait(reference, visit)
    if done is not None:
        yield done
        return
    try:
        yield None
    finally:
        Submission.objects.filter(pk=reference, kind="").delete()


def _claim_or_wait(reference: str, visit: Visit) -> Done | None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            with transaction.atomic():
                Submission.objects.create(key=reference, kind="", browser=visit.browser, created_at=clock.now())
            return None
        except IntegrityError:
            row = Submission.objects.filter(pk=reference).first()
        if row and row.kind:
            return _done(row, visit.submission) if row.browser == visit.browser else None
        Submission.objects.filter(pk=reference, kind="", created_at__lt=clock.now() - _STALE).delete()
        if time.monotonic() > deadline:
            raise TimeoutError("the same form is still being worked on")
        time.sleep(_PAUSE_SECONDS)


def finish(visit: Visit, outcome: Outcome) -> None:
    """Store what was achieved. Call as the last thing inside the use case's transaction."""
    if visit.submission:
        secret = _cipher(visit.submission).encrypt(outcome.secret.encode()).decode() if outcome.secret else ""
        Submission.objects.filter(pk=fingerprint(visit.submission)).update(
            kind=outcome.kind, facts=outcome.facts(), secret=secret
        )


def find_again(visit: Visit) -> Done | None:
    """Return what an earlier post of this very form achieved."""
    row = Submission.objects.filter(pk=fingerprint(visit.submission), browser=visit.browser).exclude(kind="").first()
    return _done(row, visit.submission) if row else None


def find(reference: str, visit: Visit) -> Done | None:
    """Return what this browser achieved under `reference`, without the secret."""
    if not reference.isalnum():  # what an address holds may be anything, and PostgreSQL takes no NUL
        return None
    row = Submission.objects.filter(pk=reference, browser=visit.browser).exclude(kind="").first()
    return _done(row, "") if row else None


def _done(row: Submission, key: str) -> Done:
    secret = _cipher(key).decrypt(row.secret.encode()).decode() if row.secret and key else ""
    return Done(row.key, row.kind, row.facts, secret)
