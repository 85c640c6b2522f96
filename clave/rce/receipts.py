"""Signed receipts: proof of a mark for the training body, even though the response travels through the browser.

A receipt is a compact JWS (RFC 7515) signed with ES256 (RFC 7518, 3.4), which every library supports. Its key is
derived from the installation's secret key; the public key is published at `/api/v1/keys`.
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
    """Return the public keys (RFC 7517) that verify receipts, including those of former secret keys."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return {"keys": [_key(secret).as_dict(private=False) for secret in secrets]}


def receipt(
    request: RceRequest, event: str, session: str, opened_at: datetime, ended: tuple[datetime, int] | None
) -> str:
    """Return the receipt of an opening, or of a closing given its time and credited seconds."""
    claims = {
        "iss": settings.CLAVE_URL,
        "aud": str(request.otec_rut),
        "iat": int(clock.now().timestamp()),
        "event": event,
        "environment": request.environment,
        "run": str(request.run),
        "action": request["CodigoCurso"],
        "session": session,
        "client_session": request["IdSesionAlumno"],
        "opened_at": opened_at.isoformat(timespec="seconds"),
    }
    if ended:
        claims |= {"ended_at": ended[0].isoformat(timespec="seconds"), "seconds": ended[1]}
    key = _key(settings.SECRET_KEY)
    header = {"alg": "ES256", "kid": key.kid, "typ": "receipt+jws"}
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=["ES256"])
