"""Authentication of holders. Source: mission.md, section 7; guide PJ, section 1 (messages)."""

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
from clave.signin.sessions import Authentication, SessionStore

SIGNED_IN = "signin"
# Audited actions that require an authentication: typing the CS, or for signing in an upstream door.
SIGNED = (SIGNED_IN, "attendance.opened", "attendance.closed")


class IdentityRefused(Refused):
    """According to the registry this identity does not exist, so the account cannot be used."""

    status = 403

    def __init__(self) -> None:
        super().__init__("identity_refused")


def prove(claim: ClaimedIdentity, key: str, context: RequestContext, *, human: bool, explain: bool) -> Proof:
    """Verify a claimed identity by its key.

    Raises `WrongKey` with the message to show, `TooManyAttempts`, `CaptchaNeeded`. `explain` enables the guide's own
    messages, which reveal whether an account exists; allow it only after a captcha.
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
    """Authorise the action the CS was required for; the caller audits it. Raises `MinimumDataMissing`."""
    require_minimum_data(proof.holder)
    if not proof.known_browser:
        credentials.remember_browser(proof.holder, context)


@transaction.atomic
def admit(proof: Proof, session: SessionStore, context: RequestContext) -> None:
    """Sign the holder in with a session under a new session key. Raises `MinimumDataMissing`."""
    let_in(proof, context)
    session.begin(proof.holder, context)
    audit.record(SIGNED_IN, context, holder=proof.holder)


@transaction.atomic
def admit_by_door(holder: Holder, door: str, session: SessionStore, context: RequestContext) -> None:
    """Sign in a holder whom an upstream door identified, without the CS. The caller audits a refusal.

    Raises `IdentityRefused`, `TooManyAttempts` while the account waits after wrong keys, `MinimumDataMissing`.
    """
    if holder.verification == Verification.REFUSED:
        raise IdentityRefused
    throttling.limits("key", holder.account, context).require_no_wait()
    require_minimum_data(holder)
    session.begin(holder, context, Authentication(door=door, methods=()))
    audit.record(SIGNED_IN, context, holder=holder, door=door)


@transaction.atomic
def sign_out(session: SessionStore, holder: Holder | None, context: RequestContext) -> None:
    """End a browser's session. There is no holder in one whose account has changed since."""
    if holder:
        audit.record("signout", context, holder=holder)
    session.flush()


def last_signins(holder: Holder) -> list[tuple[datetime, str, str, str]]:
    """Return the last ten attempts as (time, outcome, address, user agent), newest first; attendance marks included."""
    rows = Entry.objects.filter(subject=str(holder.pk), action__in=SIGNED).order_by("-id")[:10]
    return [(row.at, row.outcome, row.address, row.agent) for row in rows]
