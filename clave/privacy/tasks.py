"""Hourly purge of expired data."""

from django_tasks import task

from clave.lib.schedule import every
from clave.privacy.retention import purge_expired as purge_expired_now


@every(3600)
@task()
def purge_expired() -> str:
    """Purge expired data; return the number of records by kind."""
    return str(purge_expired_now())
