"""Operators' tokens for the management API: created once, shown once, looked up by their hash."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from clave.audit import service as audit
from clave.backoffice.models import ApiToken, Operator, Role
from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.lib.request_context import RequestContext

LIFE = timedelta(days=365)
# So that programs which look for leaked secrets recognise one (the idea is GitHub's).
PREFIX = "clave_op_"
_LAST_USED_RESOLUTION = timedelta(minutes=1)


@transaction.atomic
def issue(operator: Operator, label: str, context: RequestContext) -> str:
    """Create a token that acts as this supervisor, valid for `LIFE`; return it. It cannot be recovered later."""
    text = PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    token = ApiToken.objects.create(
        operator=operator,
        label=label,
        hash=fingerprint(text),
        hint=text[-4:],
        created_at=now,
        expires_at=now + LIFE,
    )
    audit.record("operator.api_token", context, operator=str(operator.pk), token=token.pk)
    return text


def live() -> QuerySet[ApiToken]:
    """Return the tokens that work: neither revoked nor expired, their operators still supervisors."""
    unexpired = ApiToken.objects.filter(revoked_at=None, expires_at__gt=clock.now())
    able = unexpired.filter(operator__active=True, operator__role=Role.SUPERVISOR).exclude(operator__hash="")
    return able.select_related("operator")


def find(text: str) -> ApiToken | None:
    """Return the live token with these characters; None if there is none."""
    return live().filter(hash=fingerprint(text)).first()


def record_use(token: ApiToken) -> None:
    """Record that the token was used, to the minute."""
    is_stale = Q(last_used_at=None) | Q(last_used_at__lt=clock.now() - _LAST_USED_RESOLUTION)
    ApiToken.objects.filter(is_stale, pk=token.pk).update(last_used_at=clock.now())


@transaction.atomic
def revoke(token: ApiToken, by: Operator, context: RequestContext) -> None:
    """Revoke a token immediately. Revoking twice keeps the first time."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now()):
        audit.record("operator.api_token_revoked", context, operator=str(by.pk), token=token.pk)
