"""Access and refresh tokens: opaque to clients, signed by us, their state in the grant they name.

No token is stored, so none can be stolen from the database; what a token is worth is looked up each time.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core import signing

from clave.lib import clock

_ACCESS, _REFRESH = "clave.sso.access", "clave.sso.refresh"


@dataclass(frozen=True)
class AccessToken:
    """What an access token says: its grant and epoch, when it expires (seconds since 1970), the key it is bound to."""

    grant: str
    epoch: int
    expires: int
    dpop_key: str = ""


@dataclass(frozen=True)
class RefreshToken:
    """What a refresh token says: its grant, and how many came before it."""

    grant: str
    generation: int


def new_access(grant: str, epoch: int, dpop_key: str) -> str:
    """Return an access token valid for `SSO_ACCESS_SECONDS`."""
    return _write(_ACCESS, [grant, epoch, _timestamp(clock.now()) + settings.SSO_ACCESS_SECONDS, dpop_key])


def new_refresh(grant: str, generation: int) -> str:
    """Return a refresh token. The same arguments give the same token, which a client that lost it may be told again."""
    return _write(_REFRESH, [grant, generation])


def read_access(token: str) -> AccessToken | None:
    """Return what an unexpired access token of ours says; None for anything else."""
    values = _read(_ACCESS, token)
    if values is None:
        return None
    access = AccessToken(str(values[0]), int(values[1]), int(values[2]), str(values[3]))
    return access if access.expires > _timestamp(clock.now()) else None


def read_refresh(token: str) -> RefreshToken | None:
    """Return what a refresh token of ours says; None for anything else."""
    values = _read(_REFRESH, token)
    return RefreshToken(str(values[0]), int(values[1])) if values else None


def _timestamp(instant: datetime) -> int:
    return int(instant.timestamp())


def _signer(purpose: str) -> signing.Signer:
    # A token has no colon, Django's usual separator (RFC 6750, section 2.1).
    return signing.Signer(salt=purpose, sep=".")


def _write(purpose: str, values: list[str | int]) -> str:
    return _signer(purpose).sign_object(values)


def _read(purpose: str, token: str) -> list[str | int] | None:
    try:
        return list(_signer(purpose).unsign_object(token))
    except (signing.BadSignature, ValueError):
        return None
