"""A company's legal representatives, maintained by the company itself. Source: mission.md, section 4."""

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.holders.models import Holder, Representative
from clave.lib.outcome import Flash, Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.notifications import outbox
from clave.registries import sii
from clave.registries.base import RegistryDown
from clave.selfservice.common import store_representative, when
from clave.web.forms import CleanedData


def check(company: Holder, person: Rut, context: RequestContext) -> None:
    """Check with the SII that this person represents the company. Raises `Refused`."""
    try:
        represents = sii.represents(person, Rut.parse(company.identifier), context)
    except RegistryDown:
        raise Refused(
            "registry_down", _("El SII no responde y no podemos revisar sus datos. Intente en unos minutos.")
        ) from None
    if not represents:
        raise Refused(
            "not_representative",
            _("Según el SII, esta persona no es representante legal de la empresa. Revise el RUT."),
            field="representative",
        )


def add(company: Holder, data: CleanedData, context: RequestContext) -> Outcome:
    """Store a representative confirmed by the SII, or update one's contact data."""
    with transaction.atomic():
        store_representative(company, data)
        _notify(company)
        audit.record("representative.added", context, holder=company)
        sentence = _("{run} quedó como representante legal.").format(run=data["representative"].pretty)
    return Flash(sentence, reverse("representatives"))


def remove(company: Holder, pk: int, context: RequestContext) -> None:
    """Remove a representative unless it is the last: a company needs one to act. Raises `Refused`."""
    with transaction.atomic():
        # Lock, so that two concurrent removals cannot remove the last two.
        Holder.objects.select_for_update().get(pk=company.pk)
        people = Representative.objects.filter(company=company)
        if not people.filter(pk=pk).exists():
            return
        if people.count() == 1:
            raise Refused("last_representative", _("La empresa debe tener al menos un representante legal."))
        people.filter(pk=pk).delete()
        _notify(company)
        audit.record("representative.removed", context, holder=company)


def _notify(company: Holder) -> None:
    outbox.send(company, "data_updated", {"when": when(), "identifier": company.display_name}, email=company.email)
