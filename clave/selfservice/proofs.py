"""Proofs of identity that more than one flow accepts."""

from datetime import date

from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import throttling
from clave.holders.models import Holder
from clave.holders.service import ClaimedIdentity
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext


class NotRecognised(Refused):
    """Who one is, birth date and e-mail do not go together; which of them is wrong is not said."""

    def __init__(self) -> None:
        super().__init__(
            "not_recognised", _("Estos datos no coinciden con una cuenta. Revise la fecha de nacimiento y el correo.")
        )


def by_birth(claim: ClaimedIdentity, birth_date: date, email: str, context: RequestContext) -> Holder:
    """Validate by birth date and registered e-mail. Raises `NotRecognised`, `TooManyAttempts`."""
    limits = throttling.limits("birth", claim.account, context, throttling.ANSWER)
    limits.reserve()
    holder = claim.holder()
    same = bool(
        holder and not holder.legacy and holder.birth_date == birth_date and holder.email.lower() == email.lower()
    )
    if not same or holder is None:
        limits.fail()
        audit.record("data.proof", context, holder=holder, outcome="not_recognised")
        raise NotRecognised
    limits.release()
    return holder
