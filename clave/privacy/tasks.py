"""Letting go of what is over, every hour."""

from django_tasks import task

from clave.lib.schedule import every
from clave.privacy.retention import let_go as let_go_now


@every(3600)
@task()
def let_go() -> str:
    """Let go of what is over; return how much of what."""
    return str(let_go_now())
