"""Update personal data. Source: guide "Clave Única SENCE - Persona Natural", section 5."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import revocation
from clave.credentials import service as keys
from clave.credentials.service import Proof, WrongKey
from clave.holders.models import Holder
from clave.holders.service import claim_of, lock
from clave.lib.masking import masked_email
from clave.lib.outcome import Outcome
from clave.lib.request_context import RequestContext
from clave.notifications import outbox as courier
from clave.selfservice.common import apply_contact, when


@dataclass(frozen=True)
class DataUpdated(Outcome):
    """The data was updated; a notice goes to the e-mail, to both if it changed."""

    kind: ClassVar[str] = "data_updated"
    email: str
    old_email: str
    key_changed: bool
    profile: str


def check(holder: Holder, data: dict[str, Any], context: RequestContext) -> Proof | None:
    """Try the present CS of who wants another one. Raises `WrongKey`, `TooManyAttempts`."""
    if not data["new_key"]:
        return None
    try:
        return keys.try_key(claim_of(holder), data["key"], context, "key.checked")
    except WrongKey as refused:
        refused.message, refused.field = _("La Clave SENCE actual no es correcta."), "key"
        raise


def update(holder: Holder, data: dict[str, Any], proof: Proof | None, context: RequestContext) -> DataUpdated:
    """Store address and contact and, where given, the question; with a `proof` of the present CS another one.

    Raises `PolicyViolation`, `KeyAlreadyChanged`, `AccountChanged`.
    """
    with transaction.atomic():
        holder = lock(holder)
        old_email = holder.email
        apply_contact(holder, data)
        holder.save()
        moved = bool(old_email) and old_email.lower() != holder.email.lower()
        if data.get("answer"):
            keys.set_answer(holder, data["question"], data["answer"])
        if proof is not None:
            keys.replace(proof, data["new_key"])
            revocation.end_access(holder, keep=context)
        _tell(holder, old_email if moved else "", key_changed=bool(proof))
        audit.record("data.updated", context, holder=holder, email_moved=moved, key_changed=bool(proof))
    return DataUpdated(
        email=masked_email(holder.email),
        old_email=masked_email(old_email) if moved else "",
        key_changed=bool(proof),
        profile=holder.profile,
    )


def _tell(holder: Holder, old_email: str, *, key_changed: bool) -> None:
    """Tell the holder what was changed; with an `old_email` the address has moved, and both are told.

    The new address may be somebody else's, mistyped or chosen to flood it: it gets its share of a day and no more.
    """
    told = {"when": when(), "identifier": holder.display_name}
    quota = "update" if old_email else ""
    with suppress(courier.TooManyMessages):
        courier.send(holder, "data_updated", told, email=holder.email, quota=quota)
    if key_changed:
        courier.send(holder, "key_changed", told, email=old_email or holder.email)
    if old_email:
        moved = {**told, "new_email": masked_email(holder.email)}
        courier.send(holder, "email_changed", moved, email=old_email)
