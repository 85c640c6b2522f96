"""Accounts made while Registro Civil was down are verified when it is back."""

from django.db import transaction
from django_tasks import task

from clave.audit import service as audit
from clave.core import clock
from clave.core.rut import Rut
from clave.core.visit import SYSTEM
from clave.courier import service as courier
from clave.flows.register.service import fill_in
from clave.holders.models import Holder, Profile, Verification
from clave.registries import registro_civil
from clave.registries.base import RegistryDown


@task()
def verify_pending() -> int:
    """Verify accounts in the order they were made; stop when the registry is down. Returns how many were settled."""
    waiting = Holder.objects.filter(
        profile=Profile.PERSONA_NATURAL, verification=Verification.UNVERIFIED, legacy=False
    ).order_by("created_at")[:200]
    settled = 0
    for holder in waiting:
        try:
            person = registro_civil.find_person(Rut.parse(holder.identifier), SYSTEM)
        except RegistryDown:
            break
        _settle(holder, person)
        settled += 1
    return settled


def _settle(holder: Holder, person: registro_civil.Person | None) -> None:
    with transaction.atomic():
        if person is None or person.deceased:
            holder.verification = Verification.REFUSED
            holder.sessions.all().delete()
            courier.send(holder, "verification_failed", {"identifier": holder.pretty_identifier}, email=holder.email)
        else:
            fill_in(holder, person)
        holder.updated_at = clock.now()
        holder.save(update_fields=["names", "surnames", "sex", "birth_date", "verification", "updated_at"])
        audit.record("holder.verified", SYSTEM, holder=holder, outcome=holder.verification)
