"""Settling what waits in quarantine, and clearing away what nobody needs."""

from django_tasks import task

from clave.documents import service
from clave.lib.schedule import every


@every(60)
@task()
def scan_again() -> int:
    """Scan what waits in quarantine."""
    return service.scan_again()


@every(3600)
@task()
def clear() -> int:
    """Throw away what was brought and never used."""
    return service.clear()
