"""Telling people that a registry is back."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django_tasks import task

from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.lib.rut import Rut
from clave.notifications import outbox
from clave.notifications.outbox import TooManyMessages
from clave.registries import registro_civil, sii
from clave.registries.base import RegistryDown
from clave.selfservice.models import Waiting
from clave.selfservice.recover.service import WHO

# Who still waits after two days has long found another way.
PATIENCE = timedelta(days=2)
# Any well-formed question shows whether a registry answers.
_NOBODY = Rut.parse("1-9")
_ASK: dict[str, Callable[[], object]] = {
    "registro_civil": lambda: registro_civil.find_person(_NOBODY, SYSTEM),
    "sii": lambda: sii.find_company(_NOBODY, SYSTEM),
}


@task()
def tell_who_waits() -> int:
    """Write to everybody who waits for a registry that answers again; return to how many."""
    Waiting.objects.filter(created_at__lt=clock.now() - PATIENCE).delete()
    told = 0
    for name in Waiting.objects.values_list("registry", flat=True).distinct():
        try:
            _ASK[name]()
        except RegistryDown:
            continue
        for each in Waiting.objects.filter(registry=name).order_by("pk")[:500]:
            with transaction.atomic(), suppress(TooManyMessages):
                each.delete()
                outbox.send(
                    None,
                    "registry_back",
                    {"registry": WHO[name]},
                    email=each.email,
                    language=each.language,
                    quota="registry",
                )
                told += 1
    return told
