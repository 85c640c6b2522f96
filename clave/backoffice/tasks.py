"""Reading the whole chain of seals may take a while: the worker does it, a page shows what came of it."""

from django_tasks import task

from clave.audit.verification import verify
from clave.backoffice.models import ChainReading
from clave.core import clock


@task()
def read_chain(pk: int) -> str:
    """Verify the chain and note the verdict; return its fault, empty when all is well."""
    verdict = verify()
    ChainReading.objects.filter(pk=pk).update(
        done_at=clock.now(), seals=verdict.seals, entries=verdict.entries, fault=verdict.fault
    )
    return verdict.fault


def start() -> ChainReading:
    """Have the chain read."""
    reading = ChainReading.objects.create(asked_at=clock.now())
    read_chain.enqueue(reading.pk)
    return reading
