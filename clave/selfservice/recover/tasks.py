"""Notifications that a registry is available again."""

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

# After two days the notification would be of no more use.
PATIENCE = timedelta(days=2)
# Any well-formed query shows whether a registry is available.
_NOBODY = Rut.parse("1-9")
_PROBES: dict[str, Callable[[], object]] = {
    "registro_civil": lambda: registro_civil.find_person(_NOBODY, SYSTEM),
    "sii": lambda: sii.find_company(_NOBODY, SYSTEM),
}


@task()
def tell_who_waits() -> int:
    """Notify everyone who waits for a registry that is available again. Return the number of messages."""
    Waiting.objects.filter(created_at__lt=clock.now() - PATIENCE).delete()
    sent = 0
    for name in Waiting.objects.values_list("registry", flat=True).distinct():
        try:
            _PROBES[name]()
        except RegistryDown:
            continue
        for waiting in Waiting.objects.filter(registry=name).order_by("pk")[:500]:
            with transaction.atomic(), suppress(TooManyMessages):
                waiting.delete()
                outbox.send(
                    None,
                    "registry_back",
                    {"registry": WHO[name]},
                    email=waiting.email,
                    language=waiting.language,
                    quota="registry",
                )
                sent += 1
    return sent
