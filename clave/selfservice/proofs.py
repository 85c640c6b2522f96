"""Proofs of identity shared by several flows."""

from datetime import date

from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import throttling
from clave.holders.models import Holder
from clave.holders.service import ClaimedIdentity
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext


class NotRecognised(Refused):
    """Identifier, birth date and e-mail do not match; which of them is wrong is not disclosed."""

    def __init__(self) -> None:
        super().__init__(
            "not_recognised", _("Estos datos no coinciden con una cuenta. Revise la fecha de nacimiento y el correo.")
        )


def by_birth(claim: ClaimedIdentity, birth_date: date, email: str, context: RequestContext) -> Holder:
    """Identify a holder by birth date and registered e-mail. Raises `NotRecognised`, `TooManyAttempts`."""
    limits = throttling.limits("birth", claim.account, context, throttling.ANSWER)
    limits.reserve()
    holder = claim.holder()
    matches = bool(
        holder and not holder.legacy and holder.birth_date == birth_date and holder.email.lower() == email.lower()
    )
    if not matches or holder is None:
        limits.fail()
        audit.record("data.proof", context, holder=holder, outcome="not_recognised")
        raise NotRecognised
    limits.release()
    return holder
