"""Change the CS. Source: guide "Clave Única SENCE - Persona Natural", section 4; guide PJ, section 4."""

from dataclasses import dataclass
from typing import ClassVar

from django.db import transaction

from clave.audit import service as audit
from clave.credentials import revocation
from clave.credentials import service as credentials
from clave.credentials.service import Proof
from clave.holders.service import ClaimedIdentity, holder_from_proof, require_minimum_data
from clave.lib.masking import masked_email
from clave.lib.outcome import Outcome
from clave.lib.request_context import RequestContext
from clave.notifications import outbox
from clave.selfservice.common import when
from clave.web.forms import CleanedData


@dataclass(frozen=True)
class KeyChanged(Outcome):
    """The CS was replaced and the holder notified. `back_to` is the page on this site to return to with the new key."""

    kind: ClassVar[str] = "key_changed"
    email: str
    profile: str
    back_to: str = ""


def prove(claim: ClaimedIdentity, key: str, context: RequestContext) -> Proof:
    """Check the CS or a temporary key. Raises `WrongKey`, `TooManyAttempts`, `MinimumDataMissing`."""
    proof = credentials.try_key(claim, key, context, "key.checked")
    if not proof.temporary:  # after recovery by card there is no secret answer yet, and choosing one requires a CS
        require_minimum_data(proof.holder)
    return proof


def change(proof: Proof, new_key: str, context: RequestContext, back_to: str = "") -> KeyChanged:
    """Replace the CS, end all access and notify the holder. Raises `PolicyViolation`, `KeyAlreadyChanged`."""
    holder = proof.holder
    outcome = KeyChanged(email=masked_email(holder.email), profile=holder.profile, back_to=back_to)
    with transaction.atomic():
        credentials.replace(proof, new_key)
        credentials.unlock(holder.account)
        revocation.end_access(holder, keep=context)
        outbox.send(holder, "key_changed", {"when": when(), "identifier": holder.display_name}, email=holder.email)
        audit.record("key.changed", context, holder=holder, temporary=bool(proof.temporary))
    return outcome


def proof_from(data: CleanedData) -> Proof:
    """Rebuild the proof from the first step. Raises `StepRefused` if the account has changed since."""
    return Proof(holder_from_proof(data), int(data["version"]), int(data["temporary"]))
