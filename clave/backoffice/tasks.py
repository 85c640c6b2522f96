"""Verification of the whole chain of seals, in the worker because it takes long; a page shows the result."""

from datetime import timedelta

import structlog
from django.db import transaction
from django_tasks import task

from clave.audit.verification import verify
from clave.backoffice.models import ChainReading
from clave.lib import clock

log = structlog.get_logger(__name__)

# A verification that runs longer will never end: its worker was stopped.
LONGEST = timedelta(hours=1)


@task()
def read_chain(pk: int) -> str:
    """Verify the chain and store the verdict; return the fault, empty if there is none."""
    reading = ChainReading.objects.filter(pk=pk)
    try:
        verdict = verify()
    except Exception as error:  # whoever waits for the verdict must be shown that there is none
        log.exception("audit.unreadable")
        fault = f"the chain could not be read ({type(error).__name__})"
        reading.update(done_at=clock.now(), fault=fault)
        return fault
    reading.update(done_at=clock.now(), seals=verdict.seals, entries=verdict.entries, fault=verdict.fault)
    return verdict.fault


@transaction.atomic
def start() -> ChainReading:
    """Start a verification unless one is already running; return the running one."""
    # Lock, so that a concurrent request waits here and then finds the verification just started.
    ChainReading.objects.select_for_update().order_by("pk").first()
    for newest in ChainReading.objects.order_by("-pk")[:1]:
        if newest.done_at is None and not is_given_up(newest):
            return newest
    reading = ChainReading.objects.create(asked_at=clock.now())
    read_chain.enqueue(reading.pk)
    return reading


def is_given_up(reading: ChainReading) -> bool:
    """Return whether a verification can no longer be expected to end."""
    return reading.done_at is None and reading.asked_at < clock.now() - LONGEST
