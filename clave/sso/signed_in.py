"""Who is signed in in a browser, and how: what relying applications are told of it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest

from clave.holders.models import Holder, Verification
from clave.signin.login_required import current_holder
from clave.signin.sessions import TYPED_KEY

# How far an identity is proved, the weakest first: declared by the holder, confirmed by a State registry, or confirmed
# and claimed by someone who knew the serial number of the identity card.
SELF_ASSERTED, REGISTRY, CARD = "urn:clave:self-asserted", "urn:clave:registry", "urn:clave:card"
# Proved by another of the State's doors.
DOORS = {"claveunica": "urn:clave:claveunica", "tributaria": "urn:clave:tributaria"}
ACR_VALUES = [SELF_ASSERTED, REGISTRY, CARD, *DOORS.values()]


@dataclass(frozen=True)
class SignedIn:
    """A holder signed in in a browser. `sid` names the browser's session to clients, `amr` the methods (RFC 8176)."""

    holder: Holder
    sid: str
    auth_time: datetime
    door: str
    amr: tuple[str, ...]

    @property
    def acr(self) -> str:
        """Return how the identity was proved (OpenID Connect Core 1.0, section 2)."""
        if self.door in DOORS:
            return DOORS[self.door]
        if self.holder.verification != Verification.VERIFIED:
            return SELF_ASSERTED
        return CARD if self.holder.card_checked_at else REGISTRY


def signed_in(request: HttpRequest) -> SignedIn | None:
    """Return who is signed in in this browser; None if nobody is, or in a session older than sign-on, without sid."""
    holder = current_holder(request)
    session = request.session
    if holder is None or not session.get("sid"):
        return None
    return SignedIn(
        holder=holder,
        sid=session["sid"],
        auth_time=datetime.fromtimestamp(session["auth_time"], UTC),
        door=session.get("door", TYPED_KEY.door),
        amr=tuple(session.get("amr", ())),
    )
