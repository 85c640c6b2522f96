"""Deferred verification of accounts created while a registry was down."""

from collections.abc import Callable
from functools import partial

from django.db import transaction
from django_tasks import task

from clave.audit import service as audit
from clave.credentials import revocation
from clave.holders.models import Holder, Profile, Verification
from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.lib.rut import Rut
from clave.notifications import outbox
from clave.registries import registro_civil, sii
from clave.registries.base import RegistryDown
from clave.selfservice.register.service import confirm_company, confirm_person

Confirm = Callable[[Holder], None]


@task()
def verify_pending() -> int:
    """Verify accounts in order of creation until a registry is down. Return the number settled."""
    return sum(_verify(profile, query) for profile, query in _QUERIES.items())


def _verify(profile: str, query: Callable[[Holder], Confirm | None]) -> int:
    pending = Holder.objects.filter(profile=profile, verification=Verification.UNVERIFIED, legacy=False)
    settled = 0
    for holder in pending.order_by("created_at")[:200]:
        try:
            confirm = query(holder)
        except RegistryDown:
            break
        _settle(holder, confirm)
        settled += 1
    return settled


def _query_civil_registry(holder: Holder) -> Confirm | None:
    person = registro_civil.find_person(Rut.parse(holder.identifier), SYSTEM)
    return partial(confirm_person, person=person) if person and not person.deceased else None


def _query_tax_office(holder: Holder) -> Confirm | None:
    """Confirm a company if it is active in the SII and all its representatives on file do represent it."""
    rut = Rut.parse(holder.identifier)
    company = sii.find_company(rut, SYSTEM)
    people = [Rut.parse(representative.run) for representative in holder.representatives.all()]
    valid = company and company.active and all(sii.represents(person, rut, SYSTEM) for person in people)
    return partial(confirm_company, company=company) if company and valid else None


_QUERIES = {Profile.PERSONA_NATURAL: _query_civil_registry, Profile.PERSONA_JURIDICA: _query_tax_office}


def _settle(holder: Holder, confirm: Confirm | None) -> None:
    with transaction.atomic():
        if confirm is None:
            holder.verification = Verification.REFUSED
            revocation.end_access(holder)
            outbox.send(holder, "verification_failed", {"identifier": holder.display_name}, email=holder.email)
        else:
            confirm(holder)
        holder.updated_at = clock.now()
        holder.save(update_fields=["names", "surnames", "sex", "birth_date", "verification", "updated_at"])
        audit.record("holder.verified", SYSTEM, holder=holder, outcome=holder.verification)
