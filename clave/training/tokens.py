"""Tokens of a training body: made once, shown once, found by a keyed hash. Source: rce-protocol.md, section 2."""

import uuid
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db.models import Q

from clave.db.hot_queries import Lookup
from clave.lib import clock
from clave.lib.crypto import fingerprint, is_sealed_under, keyed_hash, keyed_hashes, seal, unseal
from clave.training.models import Otec, Token

_USE_NOTED_EVERY = timedelta(minutes=1)


def digest(text: str) -> str:
    """Return under what a token is stored: useless without the installation's secret key."""
    return keyed_hash("token", _fingerprint(text))


def _fingerprint(text: str) -> str:
    return fingerprint(text.upper())


def issue(otec: Otec, label: str, text: str = "") -> tuple[Token, str]:
    """Make a token and return it with its 36 characters, which nobody can read again."""
    text = text or str(uuid.uuid4()).upper()
    token = Token.objects.create(
        otec=otec,
        label=label,
        digest=digest(text),
        fingerprint=seal(_fingerprint(text)),
        hint=text[-4:],
        created_at=clock.now(),
    )
    return token, text


@cache
def _by_digests(count: int) -> Lookup[Token]:
    return Lookup(
        lambda *made: Token.objects.select_related("otec").filter(digest__in=made),
        *(f"digest {number}" for number in range(count)),
    )


def find(text: str) -> Token | None:
    """Return the token with these characters, in any case, with its OTEC; None if there is none."""
    # Nothing is stored under the digest of what is no token.
    digests = _digests(text)
    return _by_digests(len(digests)).one(*digests)


def _digests(text: str) -> tuple[str, ...]:
    """Return all that a token may be stored under: under former keys too, and before its fingerprint was kept."""
    return keyed_hashes("token", _fingerprint(text)) + keyed_hashes("token", text.upper())


def is_live(token: Token) -> bool:
    """Say whether a token is vigente: neither revoked nor expired."""
    return not token.revoked_at and (token.expires_at is None or token.expires_at > clock.now())


def note_use(token: Token, text: str) -> None:
    """Remember that the token was used, to the minute: a class that begins together must not queue for one row.

    `text` is what was sent: if it is the token, and stored under a former secret key, it moves to the present one.
    """
    if token.digest in _digests(text)[1:]:
        moved = {"digest": digest(text), "fingerprint": seal(_fingerprint(text))}
        Token.objects.filter(pk=token.pk, digest=token.digest).update(**moved)
    old = clock.now() - _USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at < old:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=old)
        Token.objects.filter(unnoted, pk=token.pk).update(last_used_at=clock.now())


def rekey() -> tuple[int, int]:
    """Move every token to the present secret key; return how many moved, and how many can only when they are used.

    Raises `InvalidTag` if a token was stored under a key that is not at hand.
    """
    moved = 0
    behind = Token.objects.exclude(fingerprint="").order_by("pk").values_list("pk", "digest", "fingerprint")
    for pk, before, sealed in behind.iterator():
        if not is_sealed_under(settings.SECRET_KEY, sealed):
            opened = unseal(sealed)
            moved += Token.objects.filter(pk=pk, digest=before).update(
                digest=keyed_hash("token", opened), fingerprint=seal(opened)
            )
    return moved, Token.objects.filter(fingerprint="", revoked_at=None).count()


def revoke(token: Token) -> None:
    """End a token at once. Revoking twice keeps the first moment."""
    Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now())
