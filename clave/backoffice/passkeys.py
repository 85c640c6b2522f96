"""Operators' passkeys (Web Authentication, Level 3). The client side is in static/backoffice.js."""

import json
import re
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRequestOptions,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from clave.audit import service as audit
from clave.backoffice.models import Operator, Passkey
from clave.lib import clock
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.notifications import outbox
from clave.selfservice.common import when

_CHALLENGE = "passkey_challenge"
_CREDENTIAL = re.compile(r"[A-Za-z0-9_-]{1,400}")
# The library raises more than its own exceptions for malformed JSON.
_MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, RecursionError)


class PasskeyRefused(Refused):
    """The browser's response is not a valid proof."""

    def __init__(self) -> None:
        super().__init__(
            "passkey_refused", _("La llave de acceso no sirvió. Intente otra vez o use su clave y código.")
        )


def _site() -> str:
    return urlsplit(settings.CLAVE_URL).hostname or "localhost"


def _store_challenge(
    request: HttpRequest, options: PublicKeyCredentialCreationOptions | PublicKeyCredentialRequestOptions
) -> str:
    request.session[_CHALLENGE] = bytes_to_base64url(options.challenge)
    return options_to_json(options)


def _take_challenge(request: HttpRequest) -> bytes:
    """Return and delete this browser's challenge: each can be answered once. Raises `PasskeyRefused`."""
    challenge = request.session.pop(_CHALLENGE, "")
    if not challenge:
        raise PasskeyRefused
    return base64url_to_bytes(challenge)


def registration_options(request: HttpRequest, operator: Operator) -> str:
    """Return the JSON options for a browser to create a passkey for this operator."""
    existing = [
        PublicKeyCredentialDescriptor(base64url_to_bytes(name))
        for name in operator.passkeys.values_list("credential", flat=True)
    ]
    options = generate_registration_options(
        rp_id=_site(),
        rp_name="Clave SENCE",
        user_name=operator.email,
        user_id=str(operator.pk).encode(),
        user_display_name=operator.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=existing,
    )
    return _store_challenge(request, options)


def signin_options(request: HttpRequest) -> str:
    """Return the JSON options for a browser to sign in with any passkey for this site."""
    options = generate_authentication_options(rp_id=_site(), user_verification=UserVerificationRequirement.REQUIRED)
    return _store_challenge(request, options)


def register(request: HttpRequest, operator: Operator, answer: str, label: str, context: RequestContext) -> Passkey:
    """Store a passkey created by the browser and notify the operator. Raises `PasskeyRefused`, `TooManyMessages`."""
    try:
        verified = verify_registration_response(
            credential=answer,
            expected_challenge=_take_challenge(request),
            expected_rp_id=_site(),
            expected_origin=settings.CLAVE_URL,
            require_user_verification=True,
        )
    except _MALFORMED as error:
        raise PasskeyRefused from error
    with transaction.atomic():
        passkey = Passkey.objects.create(
            operator=operator,
            credential=bytes_to_base64url(verified.credential_id),
            public_key=bytes_to_base64url(verified.credential_public_key),
            count=verified.sign_count,
            label=label,
            created_at=clock.now(),
        )
        outbox.send(None, "passkey_added", {"when": when(), "name": operator.name}, email=operator.email)
        audit.record("operator.passkey_added", context, operator=str(operator.pk))
    return passkey


def sign_in(request: HttpRequest, answer: str, context: RequestContext) -> Operator:
    """Return the operator whose passkey answered this browser's challenge. Raises `PasskeyRefused`."""
    challenge = _take_challenge(request)
    try:
        name = str(json.loads(answer)["id"])
        if not _CREDENTIAL.fullmatch(name):  # PostgreSQL rejects NUL
            raise PasskeyRefused
        passkey = Passkey.objects.select_related("operator").filter(credential=name).first()
        if passkey is None or not passkey.operator.is_ready or passkey.operator.invitation:
            raise PasskeyRefused
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_site(),
            expected_origin=settings.CLAVE_URL,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.count,
            require_user_verification=True,
        )
    except _MALFORMED as error:
        audit.record("operator.signin", context, outcome="passkey_refused")
        raise PasskeyRefused from error
    Passkey.objects.filter(pk=passkey.pk).update(count=verified.new_sign_count, used_at=clock.now())
    audit.record("operator.signin", context, operator=str(passkey.operator.pk), passkey=True)
    return passkey.operator


def remove(operator: Operator, pk: int, context: RequestContext) -> None:
    """Delete one of the operator's passkeys."""
    with transaction.atomic():
        if Passkey.objects.filter(operator=operator, pk=pk).delete()[0]:
            audit.record("operator.passkey_removed", context, operator=str(operator.pk))
