"""A form that changes something does it once: double click, retry after a lost answer, resend after a failover.

The form carries a random key. Whoever posts it first claims it; a second post of the same form waits for the first and
shows the same result. A claim that is old is taken over: its owner has died, or is so late that its work, should it
come to an end after all, is undone (`finish`).
"""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, replace
from datetime import timedelta

from cryptography.fernet import Fernet
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.web.models import Submission

_STALE = timedelta(seconds=10)
_WAIT_SECONDS = 15.0
_PAUSE_SECONDS = 0.05


class StillWorking(Refused):
    """The same form is still being worked on; sending it again later shows what came of it."""

    status = 503

    def __init__(self) -> None:
        super().__init__("still_working")


class NotThisBrowser(Refused):
    """The form was shown to another browser and has been sent from there (abuse case 47)."""

    status = 403

    def __init__(self) -> None:
        super().__init__("not_this_browser")


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


@dataclass(frozen=True)
class Claim:
    """A visit that may do what its form asks for, or what an earlier post of the same form achieved."""

    context: RequestContext
    done: Done | None = None


def claim(context: RequestContext) -> Claim:
    """Claim the visit's submission key, or wait for who has claimed it. Raises `NotThisBrowser`, `StillWorking`.

    Give it back with `release` when the use case is over, so that a corrected form may be posted.
    """
    reference, deadline = fingerprint(context.submission), time.monotonic() + _WAIT_SECONDS
    mine = replace(context, claim=secrets.token_hex(8))
    while time.monotonic() < deadline:
        try:
            with transaction.atomic():
                Submission.objects.create(
                    key=reference, kind="", claim=mine.claim, browser=context.browser, created_at=clock.now()
                )
            return Claim(mine)
        except IntegrityError:
            row = Submission.objects.filter(pk=reference).first()
        if row and not constant_time_compare(row.browser, context.browser):
            raise NotThisBrowser
        if row and row.kind:
            return Claim(context, _done(row, context.submission))
        if _take_over(reference, mine):
            return Claim(mine)
        time.sleep(_PAUSE_SECONDS)
    raise StillWorking


def _take_over(reference: str, mine: RequestContext) -> bool:
    old = Submission.objects.filter(pk=reference, kind="", created_at__lt=clock.now() - _STALE)
    return bool(old.update(claim=mine.claim, created_at=clock.now()))


def release(context: RequestContext) -> None:
    """Give a claim back unless something was achieved under it."""
    Submission.objects.filter(pk=fingerprint(context.submission), claim=context.claim, kind="").delete()


def finish(context: RequestContext, outcome: Outcome) -> None:
    """Store what was achieved. The page calls it as the last thing inside the transaction that achieves it.

    Raises `StillWorking`, which undoes the transaction, when another post of the form has taken the claim over.
    """
    secret = _cipher(context.submission).encrypt(outcome.secret.encode()).decode() if outcome.secret else ""
    mine = Submission.objects.filter(pk=fingerprint(context.submission), claim=context.claim, kind="")
    if not mine.update(kind=outcome.kind, facts=outcome.facts(), secret=secret):
        raise StillWorking


def find_again(context: RequestContext) -> Done | None:
    """Return what an earlier post of this very form achieved."""
    row = (
        Submission.objects.filter(pk=fingerprint(context.submission), browser=context.browser).exclude(kind="").first()
    )
    return _done(row, context.submission) if row else None


def find(reference: str, context: RequestContext) -> Done | None:
    """Return what this browser achieved under `reference`, without the secret."""
    if not reference.isalnum():  # what an address holds may be anything, and PostgreSQL takes no NUL
        return None
    row = Submission.objects.filter(pk=reference, browser=context.browser).exclude(kind="").first()
    return _done(row, "") if row else None


def _done(row: Submission, key: str) -> Done:
    secret = _cipher(key).decrypt(row.secret.encode()).decode() if row.secret and key else ""
    return Done(row.key, row.kind, row.facts, secret)
