"""The key pairs that sign tokens: made, used, rotated, published."""

import json
from datetime import datetime, timedelta
from functools import lru_cache

from django.db import transaction
from django.db.models import Q
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from clave.audit import service as audit
from clave.db.hot_queries import Lookup
from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.sso import jwts
from clave.sso.models import Algorithm, SigningKey

ALGORITHMS = [algorithm.value for algorithm in Algorithm]
# A new key is published this long before it signs, so that clients which keep the set for a day know it by then.
PUBLISHED_AHEAD = timedelta(days=1)
# The old one stays published for longer than any signed token is valid.
PUBLISHED_AFTER = timedelta(days=2)
ROTATED_EVERY = timedelta(days=90)

_OF_ALGORITHM = Lookup(
    lambda algorithm: SigningKey.objects.filter(algorithm=algorithm).order_by("-serial"), Algorithm.ES256.value
)


def current(algorithm: str) -> SigningKey:
    """Return the key that signs now; the first one is made when it is needed."""
    keys = _OF_ALGORITHM.all(algorithm)
    now = clock.now()  # after reading: a key that another process has just made is one that signs
    in_use = [key for key in keys if key.signs_from <= now and not is_expired(key, now)]
    return in_use[0] if in_use else _make(algorithm, now, keys)


def is_expired(key: SigningKey, now: datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= now


def published() -> list[SigningKey]:
    """Return the keys that verify tokens: also the next one, and the last one while its tokens are valid."""
    for algorithm in ALGORITHMS:
        current(algorithm)
    unexpired = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    return list(SigningKey.objects.filter(unexpired).order_by("algorithm", "-signs_from"))


def jwks() -> dict[str, object]:
    """Return the published keys' public parts (RFC 7517, section 5)."""
    return {"keys": [_parsed(key.kid, key.private).as_dict(private=False) for key in published()]}


def sign(claims: dict[str, object], algorithm: str, kind: str = "JWT") -> str:
    """Return a signed JWT (RFC 7519)."""
    key = current(algorithm)
    header = {"alg": algorithm, "kid": key.kid, "typ": kind}
    return jwt.encode(header, claims, _parsed(key.kid, key.private), algorithms=[algorithm])


def read(token: str) -> dict[str, object] | None:
    """Return the claims of an ID token that we signed and whose key is still published; None for any other text.

    A logout token is signed with the same keys, and is no ID token (RFC 8725, section 3.11).
    """
    header = jwts.header_of(token)
    if header is None or header.get("typ") != "JWT":
        return None
    return jwts.claims_of(token, KeySet([_parsed(key.kid, key.private) for key in published()]), ALGORITHMS)


@transaction.atomic
def rotate(*, at_once: bool = False, forget_old: bool = False) -> list[SigningKey]:
    """Make a successor to every key.

    It signs after `PUBLISHED_AHEAD`, or with `at_once` now. `forget_old` also stops publishing the others now: for a
    key that became known, whose tokens nobody must accept any more.
    """
    now = clock.now()
    signs_from = now if at_once or forget_old else now + PUBLISHED_AHEAD
    expires_at = now if forget_old else signs_from + PUBLISHED_AFTER
    SigningKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=expires_at)).update(expires_at=expires_at)
    successors = [_make(algorithm, signs_from, _OF_ALGORITHM.all(algorithm)) for algorithm in ALGORITHMS]
    audit.record("sso.keys_rotated", SYSTEM, kids=[key.kid for key in successors], forgot_old=forget_old)
    return successors


def rotate_if_due() -> None:
    """Rotate when the newest keys have been signing for `ROTATED_EVERY`, and delete those no longer published."""
    now = clock.now()
    SigningKey.objects.filter(expires_at__lte=now).delete()
    newest = SigningKey.objects.order_by("-signs_from").first()
    if newest and newest.signs_from <= now - ROTATED_EVERY:
        rotate()


def _make(algorithm: str, signs_from: datetime, former: list[SigningKey]) -> SigningKey:
    """Make the key that follows the `former` ones, and return it.

    Of several who do it at once, the one whose key is stored first determines it for all.
    """
    serial = max((key.serial for key in former), default=0) + 1
    key = ECKey.generate_key("P-256") if algorithm == Algorithm.ES256 else RSAKey.generate_key(2048)
    kid = key.thumbprint()
    private = json.dumps(key.as_dict(private=True) | {"kid": kid, "use": "sig", "alg": algorithm})
    made = SigningKey(
        kid=kid, algorithm=algorithm, serial=serial, private=private, created_at=clock.now(), signs_from=signs_from
    )
    SigningKey.objects.bulk_create([made], ignore_conflicts=True)
    return SigningKey.objects.get(algorithm=algorithm, serial=serial)


@lru_cache(maxsize=16)
def _parsed(kid: str, private: str) -> ECKey | RSAKey:
    """Return the key ready for use: to read an RSA key takes longer than to sign with it."""
    values = json.loads(private)
    return ECKey.import_key(values) if values["kty"] == "EC" else RSAKey.import_key(values)
