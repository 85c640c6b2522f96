"""Periodic tasks of documents: rescan the quarantine, delete abandoned uploads."""

from django_tasks import task

from clave.documents import service
from clave.lib.schedule import every


@every(60)
@task()
def scan_again() -> int:
    """Rescan quarantined documents."""
    return service.scan_again()


@every(3600)
@task()
def clear() -> int:
    """Delete uploads that no use case took."""
    return service.clear()
