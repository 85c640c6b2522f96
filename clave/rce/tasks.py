"""Old requests of platforms are thrown away."""

from datetime import timedelta

from django_tasks import task

from clave.lib import clock
from clave.lib.schedule import every
from clave.rce.models import PendingRequest


@every(3600)
@task()
def forget() -> None:
    """Throw away the requests of yesterday, and what was given up."""
    now = clock.now()
    PendingRequest.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    # Nobody can sign in for these any more (`service.PATIENCE`).
    PendingRequest.objects.filter(answer=None, created_at__lt=now - timedelta(hours=2)).delete()
