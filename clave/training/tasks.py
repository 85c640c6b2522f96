"""Background import: the worker validates and loads, and resumes imports left by a killed worker."""

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
    """Validate received imports and load confirmed ones. Return how many imports were processed."""
    pending = ImportJob.objects.select_related("otec").filter(stage__in=(Stage.RECEIVED, Stage.LOADING))
    for job in pending.order_by("created_at"):
        (course_import.check if job.stage == Stage.RECEIVED else course_import.load)(job)
    expired = Q(created_at__lt=clock.now() - timedelta(days=1)) & ~Q(stage=Stage.LOADING)
    ImportJob.objects.filter(expired).delete()
    return len(pending)
