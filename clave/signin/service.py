"""Proving who one is. Source: mission.md, section 7; guide PJ, section 1 (messages)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.audit.models import Entry
from clave.credentials import service as credentials
from clave.credentials import throttling
from clave.credentials.service import Proof, WrongKey
from clave.holders.models import Holder, Verification
from clave.holders.service import ClaimedIdentity, require_minimum_data
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.signin.sessions import SessionStore

SIGNED_IN = "signin"
# What nobody can do without having typed the CS.
SIGNED = (SIGNED_IN, "attendance.opened", "attendance.closed")


class IdentityRefused(Refused):
    """The registry said that this identity does not exist: the account cannot be used."""

    status = 403

    def __init__(self) -> None:
        super().__init__("identity_refused")


def prove(claim: ClaimedIdentity, key: str, context: RequestContext, *, human: bool, explain: bool) -> Proof:
    """Check who somebody says to be against a key.

    Raises `WrongKey` with the message to show, `TooManyAttempts`, `CaptchaNeeded`. `explain` gives the guide's own
    messages, which tell whether an account exists: only after a captcha.
    """
    try:
        proof = credentials.try_key(claim, key, context, SIGNED_IN, human=human)
    except WrongKey as refused:
        refused.message = _message(refused, explain and throttling.may_disclose(context))
        raise
    if proof.holder.verification == Verification.REFUSED:
        raise IdentityRefused
    return proof


def _message(wrong: WrongKey, explain: bool) -> str:
    if not explain:
        return _("No autorizado: persona no registrada o Clave SENCE incorrecta.")
    if wrong.legacy:
        return _(
            "La clave ingresada corresponde al sistema antiguo. Vuelva a registrarse o use los enlaces de esta página."
        )
    if wrong.known:
        return _("No autorizado: Clave SENCE incorrecta. Recupere su clave, cámbiela o actualice sus datos.")
    return _("No autorizado: persona no registrada. Regístrese para obtener su Clave SENCE.")


def let_in(proof: Proof, context: RequestContext) -> None:
    """Let somebody do what the CS was asked for; the caller records it. Raises `MinimumDataMissing`."""
    require_minimum_data(proof.holder)
    if not proof.known_browser:
        credentials.remember_browser(proof.holder, context)


@transaction.atomic
def admit(proof: Proof, session: SessionStore, context: RequestContext) -> None:
    """Let somebody in: begin the holder's session under a new key. Raises `MinimumDataMissing`."""
    let_in(proof, context)
    session.begin(proof.holder, context)
    audit.record(SIGNED_IN, context, holder=proof.holder)


def last_signins(holder: Holder) -> list[tuple[datetime, str, str, str]]:
    """Return the ten last tries as (when, outcome, address, user agent), newest first; marks of attendance too."""
    rows = Entry.objects.filter(subject=str(holder.pk), action__in=SIGNED).order_by("-id")[:10]
    return [(row.at, row.outcome, row.address, row.agent) for row in rows]
