"""Letting go of what is over, every hour."""

from django_tasks import task

from clave.lib.schedule import every
from clave.privacy.retention import purge_expired as purge_expired_now


@every(3600)
@task()
def purge_expired() -> str:
    """Let go of what is over; return how much of what."""
    return str(purge_expired_now())
