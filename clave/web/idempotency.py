"""Idempotent forms: a change happens once despite double clicks, retries after a lost response and failovers.

Each form carries a random key. The first post claims it; another post of the same form waits for the first and shows
the same result. A stale claim is taken over: its owner has died or is so late that its work, should it finish after
all, is rolled back (`finish`).
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
    """An earlier post of the form is still being processed; posting it again later shows the outcome."""

    status = 503

    def __init__(self) -> None:
        super().__init__("still_working")


class NotThisBrowser(Refused):
    """The form was served to, and already sent by, another browser (abuse case 47)."""

    status = 403

    def __init__(self) -> None:
        super().__init__("not_this_browser")


@dataclass(frozen=True)
class Done:
    """The outcome of an earlier post of the form; `secret` requires the form's key."""

    reference: str
    kind: str
    facts: dict[str, object]
    secret: str = ""


def new_key() -> str:
    """Return a key for a newly rendered form."""
    return secrets.token_urlsafe(18)


def _cipher(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"submission/" + key.encode()).digest()))


@dataclass(frozen=True)
class Claim:
    """Permission to process a form, or the outcome of an earlier post of it."""

    context: RequestContext
    done: Done | None = None


def claim(context: RequestContext) -> Claim:
    """Claim the request's submission key, or wait for the current owner. Raises `NotThisBrowser`, `StillWorking`.

    Call `release` after the use case, so that a corrected form can be posted under the same key.
    """
    reference, deadline = fingerprint(context.submission), time.monotonic() + _WAIT_SECONDS
    own = replace(context, claim=secrets.token_hex(8))
    while time.monotonic() < deadline:
        try:
            with transaction.atomic():
                Submission.objects.create(
                    key=reference, kind="", claim=own.claim, browser=context.browser, created_at=clock.now()
                )
            return Claim(own)
        except IntegrityError:
            row = Submission.objects.filter(pk=reference).first()
        if row and not constant_time_compare(row.browser, context.browser):
            raise NotThisBrowser
        if row and row.kind:
            return Claim(context, _done(row, context.submission))
        if _take_over(reference, own):
            return Claim(own)
        time.sleep(_PAUSE_SECONDS)
    raise StillWorking


def _take_over(reference: str, own: RequestContext) -> bool:
    old = Submission.objects.filter(pk=reference, kind="", created_at__lt=clock.now() - _STALE)
    return bool(old.update(claim=own.claim, created_at=clock.now()))


def release(context: RequestContext) -> None:
    """Release a claim unless an outcome was stored under it."""
    Submission.objects.filter(pk=fingerprint(context.submission), claim=context.claim, kind="").delete()


def finish(context: RequestContext, outcome: Outcome) -> None:
    """Store the outcome. Must be the last call inside the transaction that makes the change.

    Raises `StillWorking`, which rolls the transaction back, if another post of the form has taken over the claim.
    """
    secret = _cipher(context.submission).encrypt(outcome.secret.encode()).decode() if outcome.secret else ""
    own = Submission.objects.filter(pk=fingerprint(context.submission), claim=context.claim, kind="")
    if not own.update(kind=outcome.kind, facts=outcome.facts(), secret=secret):
        raise StillWorking


def find_again(context: RequestContext) -> Done | None:
    """Return the outcome of an earlier post of this form."""
    row = (
        Submission.objects.filter(pk=fingerprint(context.submission), browser=context.browser).exclude(kind="").first()
    )
    return _done(row, context.submission) if row else None


def find(reference: str, context: RequestContext) -> Done | None:
    """Return the outcome stored under `reference` if it is this browser's, without the secret."""
    if not reference.isalnum():  # comes from the URL, and PostgreSQL rejects NUL
        return None
    row = Submission.objects.filter(pk=reference, browser=context.browser).exclude(kind="").first()
    return _done(row, "") if row else None


def _done(row: Submission, key: str) -> Done:
    secret = _cipher(key).decrypt(row.secret.encode()).decode() if row.secret and key else ""
    return Done(row.key, row.kind, row.facts, secret)
