"""Reading the whole chain of seals may take a while: the worker does it, a page shows what came of it."""

from datetime import timedelta

import structlog
from django.db import transaction
from django_tasks import task

from clave.audit.verification import verify
from clave.backoffice.models import ChainReading
from clave.lib import clock

log = structlog.get_logger(__name__)

# A reading that has not ended by then never will: its worker was stopped.
LONGEST = timedelta(hours=1)


@task()
def read_chain(pk: int) -> str:
    """Verify the chain and note the verdict; return its fault, empty when all is well."""
    reading = ChainReading.objects.filter(pk=pk)
    try:
        verdict = verify()
    except Exception as error:  # whoever waits for the verdict must learn that there is none
        log.exception("audit.unreadable")
        fault = f"the chain could not be read ({type(error).__name__})"
        reading.update(done_at=clock.now(), fault=fault)
        return fault
    reading.update(done_at=clock.now(), seals=verdict.seals, entries=verdict.entries, fault=verdict.fault)
    return verdict.fault


@transaction.atomic
def start() -> ChainReading:
    """Have the chain read, unless it is being read already; return the reading that goes on."""
    # Whoever asks at the same moment waits here, and then finds the reading begun meanwhile.
    ChainReading.objects.select_for_update().order_by("pk").first()
    for newest in ChainReading.objects.order_by("-pk")[:1]:
        if newest.done_at is None and not is_given_up(newest):
            return newest
    reading = ChainReading.objects.create(asked_at=clock.now())
    read_chain.enqueue(reading.pk)
    return reading


def is_given_up(reading: ChainReading) -> bool:
    """Say whether a reading can no longer be expected to end."""
    return reading.done_at is None and reading.asked_at < clock.now() - LONGEST
