"""Update personal data. Source: guide "Clave Única SENCE - Persona Natural", section 5."""

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import revocation
from clave.credentials import service as credentials
from clave.credentials.service import Proof, WrongKey
from clave.holders.models import Holder
from clave.holders.service import claim_of, lock
from clave.lib.masking import masked_email
from clave.lib.outcome import Outcome
from clave.lib.request_context import RequestContext
from clave.notifications import outbox
from clave.selfservice.common import apply_contact, when
from clave.web.forms import CleanedData


@dataclass(frozen=True)
class DataUpdated(Outcome):
    """The data was updated; a notice is sent to the e-mail address, to both if it changed."""

    kind: ClassVar[str] = "data_updated"
    email: str
    old_email: str
    key_changed: bool
    profile: str


def check(holder: Holder, data: CleanedData, context: RequestContext) -> Proof | None:
    """Check the current CS if a new one is to be set. Raises `WrongKey`, `TooManyAttempts`."""
    if not data["new_key"]:
        return None
    try:
        return credentials.try_key(claim_of(holder), data["key"], context, "key.checked")
    except WrongKey as refused:
        refused.message, refused.field = _("La Clave SENCE actual no es correcta."), "key"
        raise


def update(holder: Holder, data: CleanedData, proof: Proof | None, context: RequestContext) -> DataUpdated:
    """Store address and contact and, if given, a secret question and, with a `proof` of the current CS, a new CS.

    Raises `PolicyViolation`, `KeyAlreadyChanged`, `AccountChanged`.
    """
    with transaction.atomic():
        holder = lock(holder)
        old_email = holder.email
        apply_contact(holder, data)
        holder.save()
        moved = bool(old_email) and old_email.lower() != holder.email.lower()
        if data.get("answer"):
            credentials.set_answer(holder, data["question"], data["answer"])
        if proof is not None:
            credentials.replace(proof, data["new_key"])
            revocation.end_access(holder, keep=context)
        _notify(holder, old_email if moved else "", key_changed=bool(proof))
        audit.record("data.updated", context, holder=holder, email_moved=moved, key_changed=bool(proof))
    return DataUpdated(
        email=masked_email(holder.email),
        old_email=masked_email(old_email) if moved else "",
        key_changed=bool(proof),
        profile=holder.profile,
    )


def _notify(holder: Holder, old_email: str, *, key_changed: bool) -> None:
    """Notify the holder of the changes, at both addresses if the e-mail has changed (`old_email`).

    The new address may be someone else's, mistyped or chosen to flood it, so it is subject to a daily quota.
    """
    variables = {"when": when(), "identifier": holder.display_name}
    quota = "update" if old_email else ""
    with suppress(outbox.TooManyMessages):
        outbox.send(holder, "data_updated", variables, email=holder.email, quota=quota)
    if key_changed:
        outbox.send(holder, "key_changed", variables, email=old_email or holder.email)
    if old_email:
        variables = {**variables, "new_email": masked_email(holder.email)}
        outbox.send(holder, "email_changed", variables, email=old_email)
