"""Cleanup of old platform requests."""

from datetime import timedelta

from django_tasks import task

from clave.lib import clock
from clave.lib.schedule import every
from clave.rce.models import PendingRequest


@every(3600)
@task()
def forget() -> None:
    """Delete requests older than a day, and unanswered ones older than two hours."""
    now = clock.now()
    PendingRequest.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    # Nobody can sign in for these any more (`service.PATIENCE`).
    PendingRequest.objects.filter(answer=None, created_at__lt=now - timedelta(hours=2)).delete()
