"""Change the CS. Source: guide "Clave Única SENCE - Persona Natural", section 4; guide PJ, section 4."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from clave.audit import service as audit
from clave.core import submissions
from clave.core.masking import masked_email
from clave.core.outcome import Outcome, Refused
from clave.core.visit import Visit
from clave.courier import notices
from clave.courier import service as courier
from clave.flows.common import when
from clave.holders.models import Holder
from clave.holders.service import Claim, require_minimum_data
from clave.keys import service as keys
from clave.keys.service import Proof, WrongKey


@dataclass(frozen=True)
class KeyChanged(Outcome):
    """The CS was replaced and the holder told. `back_to` is the page of this site that waits for the new key."""

    kind: ClassVar[str] = "key_changed"
    email: str
    profile: str
    back_to: str = ""


def prove(claim: Claim, key: str, visit: Visit) -> Proof:
    """Check CS or temporary key. Raises `WrongKey`, `TooManyAttempts`, `MinimumDataMissing`."""
    tried = keys.look(claim, visit)
    try:
        proof = keys.verify(tried, key)
    except Refused as refused:
        audit.record("key.checked", visit, holder=tried.holder, outcome=refused.code)
        if isinstance(refused, WrongKey) and refused.locked:
            notices.key_locked(tried.holder)
        raise
    require_minimum_data(proof.holder)
    return proof


def change(proof: Proof, new_key: str, visit: Visit, back_to: str = "") -> KeyChanged:
    """Replace the CS, end every session, tell the holder. Raises `PolicyViolation`, `KeyAlreadyChanged`."""
    holder = proof.holder
    outcome = KeyChanged(email=masked_email(holder.email), profile=holder.profile, back_to=back_to)
    with transaction.atomic():
        keys.replace(proof, new_key)
        keys.unlock(holder.account)
        holder.sessions.all().delete()
        courier.send(holder, "key_changed", {"when": when(), "identifier": holder.called}, email=holder.email)
        audit.record("key.changed", visit, holder=holder, temporary=bool(proof.temporary))
        submissions.finish(visit, outcome)
    return outcome


def proof_from(data: dict[str, object]) -> Proof:
    """Rebuild the proof that the first step established."""
    holder = Holder.objects.get(pk=UUID(str(data["holder"])))
    return Proof(holder, int(str(data["version"])), int(str(data["temporary"])))
