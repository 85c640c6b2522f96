"""Update personal data. Source: guide "Clave Única SENCE - Persona Natural", section 5."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import transaction

from clave.audit import service as audit
from clave.core import submissions
from clave.core.masking import masked_email
from clave.core.outcome import Outcome
from clave.core.visit import Visit
from clave.courier import service as courier
from clave.flows.common import apply_contact, when
from clave.holders.models import Holder
from clave.holders.service import claim_of
from clave.keys import service as keys


@dataclass(frozen=True)
class DataUpdated(Outcome):
    """The data was updated; a notice goes to the e-mail, to both if it changed."""

    kind: ClassVar[str] = "data_updated"
    email: str
    old_email: str
    key_changed: bool
    profile: str


def update(holder: Holder, data: dict[str, Any], visit: Visit) -> DataUpdated:
    """Store address and contact and, where given, question and CS. Raises `PolicyViolation`, `WrongKey`."""
    old_email = holder.email
    # The present key is tried before the transaction: a wrong one must stay counted.
    proof = keys.verify(keys.look(claim_of(holder), visit), data["key"]) if data["new_key"] else None
    apply_contact(holder, data)
    moved = bool(old_email) and old_email.lower() != holder.email.lower()
    outcome = DataUpdated(
        email=masked_email(holder.email),
        old_email=masked_email(old_email) if moved else "",
        key_changed=bool(proof),
        profile=holder.profile,
    )
    told = {"when": when(), "identifier": holder.called}
    with transaction.atomic():
        holder.save()
        if data.get("answer"):
            keys.set_answer(holder, data["question"], data["answer"])
        if proof is not None:
            keys.replace(proof, data["new_key"])
            holder.sessions.all().delete()
            courier.send(holder, "key_changed", told, email=holder.email)
        courier.send(holder, "data_updated", told, email=holder.email)
        if moved:
            courier.send(holder, "email_changed", {**told, "new_email": masked_email(holder.email)}, email=old_email)
        audit.record("data.updated", visit, holder=holder, email_moved=moved, key_changed=bool(proof))
        submissions.finish(visit, outcome)
    return outcome
