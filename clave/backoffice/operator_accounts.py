"""Operator accounts: invitation, activation, two-factor sign-in, suspension. Source: mission.md, section 9."""

import re
import secrets
import string
from datetime import timedelta
from typing import Any

import pyotp
from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.backoffice.models import Operator, Role
from clave.credentials import hashing, policy, throttling
from clave.lib import clock
from clave.lib.crypto import keyed_hashes
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.notifications import outbox

INVITATION = timedelta(hours=48)
ISSUER = "Clave SENCE"
# Codes of the previous and the next time step are accepted too (RFC 6238, section 5.2).
_DRIFT = 1
_TOTP_CODE = re.compile(r"[0-9]{6}")
_DUMMY_SECRET = pyotp.random_base32()
# Without letters and digits that look alike.
_CODE_ALPHABET = "".join(char for char in string.ascii_uppercase + string.digits if char not in "IO01")


class NotAuthorised(Refused):
    """E-mail, password and code do not match; which of them is wrong is not disclosed."""

    def __init__(self) -> None:
        super().__init__("not_authorised", _("El correo, la clave o el código no son correctos."))


class WrongCode(Refused):
    """The code is not the authenticator's current one, or it was already used."""

    def __init__(self) -> None:
        super().__init__(
            "wrong_code", _("El código no es correcto o ya se usó. Espere el código siguiente."), field="code"
        )


class WrongInvitation(Refused):
    """There is no such invitation, or it has expired."""

    def __init__(self) -> None:
        super().__init__("wrong_invitation", _("El correo o el código de invitación no sirven. Pida otra invitación."))


class OwnAccount(Refused):
    """Operators cannot change their own permissions (abuse case 38)."""

    status = 403

    def __init__(self) -> None:
        super().__init__("own_account", _("No puede cambiar su propia cuenta. Pídalo a otra persona."))


def _recorded(
    action: str, context: RequestContext, operator: Operator | None, outcome: str = "ok", **detail: Any
) -> None:
    audit.record(action, context, outcome=outcome, operator=str(operator.pk) if operator else "", **detail)


def invite(email: str, name: str, role: str, by: Operator | None, context: RequestContext) -> str:
    """Create an account, or a new invitation for one; return the code, which is also sent by e-mail.

    A new invitation for an existing account removes its password and second factor. Called once two supervisors have
    agreed (`operator_changes`), or from the command line.
    """
    code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(12))
    now = clock.now()
    known = Operator.objects.filter(email__iexact=email).first()
    fields = {
        "name": name,
        "role": Role(role),
        "active": True,
        "hash": "",
        "totp_secret": "",
        "invitation": _invitations(email, code)[0],
        "invited_until": now + INVITATION,
    }
    with transaction.atomic():
        # E-mail addresses are case-insensitive: different case must not create a second account.
        operator, _created = Operator.objects.update_or_create(
            email=known.email if known else email,
            defaults=fields,
            create_defaults={**fields, "email": email, "created_at": now},
        )
        operator.passkeys.all().delete()
        outbox.send(None, "operator_invited", {"code": code, "name": name}, email=operator.email)
        _recorded("operator.invited", context, by, invited=str(operator.pk), role=role)
    return code


def _invitations(email: str, code: str) -> tuple[str, ...]:
    """Return the keyed hash of an invitation under the current and each former secret key."""
    return keyed_hashes("invitation", email.lower(), code.replace(" ", "").replace("-", "").upper())


def accept_invitation(email: str, code: str, password: str, context: RequestContext) -> Operator:
    """Check an invitation and a new password; return the operator with an unconfirmed second factor.

    Raises `WrongInvitation`, `PolicyViolation`, `TooManyAttempts`.
    """
    limits = throttling.limits("invitation", email.lower(), context, throttling.ANSWER)
    limits.reserve()
    operator = Operator.objects.filter(
        email__iexact=email, invitation__in=_invitations(email, code), invited_until__gt=clock.now(), active=True
    ).first()
    if operator is None:
        limits.fail()
        raise WrongInvitation
    limits.release()
    policy.check_passphrase(password, policy.About(email=operator.email, names=operator.name))
    operator.hash, operator.totp_secret = hashing.hash_secret(password), pyotp.random_base32()
    operator.totp_step = 0
    operator.save(update_fields=["hash", "totp_secret", "totp_step"])
    return operator


def totp_uri(operator: Operator) -> str:
    """Return the otpauth:// URI of the operator's second factor, for an authenticator app."""
    return pyotp.TOTP(operator.totp_secret).provisioning_uri(name=operator.email, issuer_name=ISSUER)


def confirm(operator: Operator, code: str, context: RequestContext) -> None:
    """Complete an invitation with a code of the new second factor. Raises `NotAuthorised`, `TooManyAttempts`."""
    limits = throttling.limits("activation", operator.email.lower(), context)
    limits.reserve()
    if not _consume(operator, _matching_step(operator.totp_secret, code)):
        limits.fail()
        raise NotAuthorised
    limits.release()
    with transaction.atomic():
        Operator.objects.filter(pk=operator.pk).update(invitation="", invited_until=None)
        _recorded("operator.activated", context, operator)


def _matching_step(totp_secret: str, code: str) -> int:
    """Return the time step of a code; 0 if it matches none or is not six ASCII digits."""
    if not _TOTP_CODE.fullmatch(code):
        return 0
    totp, now = pyotp.TOTP(totp_secret), int(clock.now().timestamp()) // 30
    steps = range(now - _DRIFT, now + _DRIFT + 1)
    return next((step for step in steps if secrets.compare_digest(totp.at(step * 30).encode(), code.encode())), 0)


def _consume(operator: Operator, step: int) -> bool:
    """Consume the code of this time step; return whether it was unused (RFC 6238, section 5.2). Safe against races."""
    return bool(Operator.objects.filter(pk=operator.pk, totp_step__lt=step).update(totp_step=step))


def sign_in(email: str, password: str, code: str, context: RequestContext) -> Operator:
    """Check password and code. Raises `NotAuthorised`, `TooManyAttempts`.

    Both are always checked, so that the response time reveals neither an unknown e-mail nor which of the two is wrong.
    """
    limits = throttling.limits("operator", email.lower(), context)
    limits.reserve()
    operator = Operator.objects.filter(email__iexact=email).first()
    ready = operator is not None and operator.is_ready and not operator.invitation
    right = hashing.matches(operator.hash if ready and operator else None, password)
    step = _matching_step((operator and operator.totp_secret) or _DUMMY_SECRET, code)
    if not right or operator is None or not _consume(operator, step):
        limits.fail()
        _recorded("operator.signin", context, operator, "not_authorised")
        raise NotAuthorised
    limits.release()
    _recorded("operator.signin", context, operator)
    return operator


def check_code(operator: Operator, code: str, context: RequestContext) -> None:
    """Check another code of a signed-in operator, required before actions whose effect outlasts the session.

    Raises `WrongCode`, `TooManyAttempts`.
    """
    limits = throttling.limits("operator_code", operator.email.lower(), context, throttling.ANSWER)
    limits.reserve()
    if not _consume(operator, _matching_step(operator.totp_secret, code)):
        limits.fail()
        _recorded("operator.code", context, operator, "wrong_code")
        raise WrongCode
    limits.release()


def change_role(operator: Operator, role: str, by: Operator, context: RequestContext) -> None:
    """Change an operator's role. Raises `OwnAccount`."""
    if operator.pk == by.pk:
        raise OwnAccount
    with transaction.atomic():
        Operator.objects.filter(pk=operator.pk).update(role=Role(role))
        _recorded("operator.role", context, by, changed=str(operator.pk), role=role)


def set_active(operator: Operator, active: bool, by: Operator, context: RequestContext) -> None:
    """Suspend an operator, whose session ends with the next request, or reactivate one. Raises `OwnAccount`."""
    if operator.pk == by.pk:
        raise OwnAccount
    with transaction.atomic():
        Operator.objects.filter(pk=operator.pk).update(active=active)
        _recorded("operator.active", context, by, changed=str(operator.pk), active=active)
