"""Signed receipts: what a training body can prove about a mark, though its answer came through the learner's browser.

A receipt is a JWS in compact form (RFC 7515), signed with ES256 (RFC 7518, 3.4), which every library knows; its
key is derived from the installation's secret key and its public half stands at `/api/v1/keys`.
"""

import json
from datetime import datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from joserfc import jws
from joserfc.jwk import ECKey

from clave.lib import clock
from clave.lib.crypto import derived_key
from clave.rce.request import RceRequest

FIELD = "ReciboSence"


@lru_cache(maxsize=2)
def _key(secret: str) -> ECKey:
    private = ec.derive_private_key(int.from_bytes(derived_key(secret, "receipt")), ec.SECP256R1())
    key = ECKey.import_key(private)
    return ECKey.import_key(key.as_dict(private=True) | {"kid": key.thumbprint(), "use": "sig", "alg": "ES256"})


def keys() -> dict[str, object]:
    """Return the public keys (RFC 7517) that verify receipts; former secret keys are still among them."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return {"keys": [_key(secret).as_dict(private=False) for secret in secrets]}


def receipt(
    asked: RceRequest, event: str, session: str, opened_at: datetime, ended: tuple[datetime, int] | None
) -> str:
    """Return the receipt of an opening or, with its moment and credited seconds, of a closing."""
    claims = {
        "iss": settings.CLAVE_URL,
        "aud": str(asked.otec_rut),
        "iat": int(clock.now().timestamp()),
        "event": event,
        "environment": asked.environment,
        "run": str(asked.run),
        "action": asked["CodigoCurso"],
        "session": session,
        "client_session": asked["IdSesionAlumno"],
        "opened_at": opened_at.isoformat(timespec="seconds"),
    }
    if ended:
        claims |= {"ended_at": ended[0].isoformat(timespec="seconds"), "seconds": ended[1]}
    key = _key(settings.SECRET_KEY)
    header = {"alg": "ES256", "kid": key.kid, "typ": "receipt+jws"}
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=["ES256"])
