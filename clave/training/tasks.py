"""Imports are checked and loaded by the worker, which takes up what a killed one left."""

from datetime import timedelta

from django.db.models import Q
from django_tasks import task

from clave.lib import clock
from clave.lib.schedule import every
from clave.training import course_import
from clave.training.models import ImportJob, Stage


@every(5)
@task()
def work_on_imports() -> int:
    """Check what has been received and load what has been confirmed. Returns how many imports that were."""
    waiting = ImportJob.objects.select_related("otec").filter(stage__in=(Stage.RECEIVED, Stage.LOADING))
    for job in waiting.order_by("created_at"):
        (course_import.check if job.stage == Stage.RECEIVED else course_import.load)(job)
    old = Q(created_at__lt=clock.now() - timedelta(days=1)) & ~Q(stage=Stage.LOADING)
    ImportJob.objects.filter(old).delete()
    return len(waiting)
