"""Tokens of training bodies: created once, shown once, looked up by keyed hash. Source: rce-protocol.md, section 2."""

import uuid
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db.models import Q

from clave.db.hot_queries import Lookup
from clave.lib import clock
from clave.lib.crypto import fingerprint, is_sealed_under, keyed_hash, keyed_hashes, seal, unseal
from clave.training.models import Otec, Token

_LAST_USED_RESOLUTION = timedelta(minutes=1)


def digest(text: str) -> str:
    """Return the keyed hash under which a token is stored: useless without the installation's secret key."""
    return keyed_hash("token", _fingerprint(text))


def _fingerprint(text: str) -> str:
    return fingerprint(text.upper())


def issue(otec: Otec, label: str, text: str = "") -> tuple[Token, str]:
    """Create a token and return it with its 36 characters, which cannot be recovered later."""
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
        lambda *digests: Token.objects.select_related("otec").filter(digest__in=digests),
        *(f"digest {number}" for number in range(count)),
    )


def find(text: str) -> Token | None:
    """Return the token with these characters, in any case, with its OTEC joined; None if there is none."""
    # An invalid token needs no check of its own: its digest matches nothing.
    digests = _digests(text)
    return _by_digests(len(digests)).one(*digests)


def _digests(text: str) -> tuple[str, ...]:
    """Return all digests a token may be stored under: also under former keys, and in the format before fingerprints."""
    return keyed_hashes("token", _fingerprint(text)) + keyed_hashes("token", text.upper())


def is_live(token: Token) -> bool:
    """Return whether a token is vigente: neither revoked nor expired."""
    return not token.revoked_at and (token.expires_at is None or token.expires_at > clock.now())


def record_use(token: Token, text: str) -> None:
    """Record that the token was used, to the minute: a class starting together must not contend for one row.

    `text` is the token as received: if it is stored under a former secret key, it is moved to the current one.
    """
    if token.digest in _digests(text)[1:]:
        moved = {"digest": digest(text), "fingerprint": seal(_fingerprint(text))}
        Token.objects.filter(pk=token.pk, digest=token.digest).update(**moved)
    stale_before = clock.now() - _LAST_USED_RESOLUTION
    if token.last_used_at is None or token.last_used_at < stale_before:
        is_stale = Q(last_used_at=None) | Q(last_used_at__lt=stale_before)
        Token.objects.filter(is_stale, pk=token.pk).update(last_used_at=clock.now())


def rekey() -> tuple[int, int]:
    """Move tokens to the current secret key; return how many moved, and how many can move only when next used.

    Raises `InvalidTag` if a token was stored under an unknown key.
    """
    moved = 0
    tokens = Token.objects.exclude(fingerprint="").order_by("pk").values_list("pk", "digest", "fingerprint")
    for pk, old_digest, sealed in tokens.iterator():
        if not is_sealed_under(settings.SECRET_KEY, sealed):
            token_fingerprint = unseal(sealed)
            moved += Token.objects.filter(pk=pk, digest=old_digest).update(
                digest=keyed_hash("token", token_fingerprint), fingerprint=seal(token_fingerprint)
            )
    return moved, Token.objects.filter(fingerprint="", revoked_at=None).count()


def revoke(token: Token) -> None:
    """Revoke a token immediately. Revoking twice keeps the first time."""
    Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=clock.now())
