"""Tokens of a training body: made once, shown once, found by a keyed hash. Source: wire.md, section 2."""

import uuid
from datetime import timedelta
from typing import cast

from django.db.models import Q

from clave.core import clock
from clave.core.prepared import Asked, Lookup, together
from clave.core.secrets import keyed_hash
from clave.training.models import Body, Token

_USE_NOTED_EVERY = timedelta(minutes=1)


def digest(text: str) -> str:
    """Return under what a token is stored: useless without the installation's secret key."""
    return keyed_hash("token", text.upper())


def issue(body: Body, label: str, text: str = "") -> tuple[Token, str]:
    """Make a token and return it with its 36 characters, which nobody can read again."""
    text = text or str(uuid.uuid4()).upper()
    token = Token.objects.create(body=body, label=label, digest=digest(text), hint=text[-4:], created_at=clock.now())
    return token, text


_BY_DIGEST = Lookup(lambda made: Token.objects.select_related("body").filter(digest=made), "digest")


def find(text: str) -> Token | None:
    """Return the token with these characters, in any case, with its body; None if there is none."""
    return cast(Token | None, next(iter(together(asked(text))[0]), None))


def asked(text: str) -> Asked:
    """Return the question for the token with these characters, to be put to the store together with others."""
    # Nothing is stored under the digest of what is no token.
    return _BY_DIGEST.ask(digest(text))


def is_live(token: Token) -> bool:
    """Say whether a token is vigente: neither revoked nor expired."""
    return not token.revoked_at and (token.expires_at is None or token.expires_at > clock.now())


def note_use(token: Token) -> None:
    """Remember that the token was used, to the minute: a class that begins together must not queue for one row."""
    old = clock.now() - _USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at < old:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=old)
        Token.objects.filter(unnoted, pk=token.pk).update(last_used_at=clock.now())


def revoke(token: Token) -> None:
    """End a token at once. Revoking twice keeps the first moment."""
    Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now())
