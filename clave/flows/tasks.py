"""Throwing away what is over, and verifying accounts that wait."""

from datetime import timedelta

from django.conf import settings
from django.core.management import call_command
from django_tasks import task

from clave.core import captcha, clock
from clave.core.models import Submission
from clave.core.timetable import every
from clave.courier.models import Message, State
from clave.flows.confirmations import contact_change, question_renewal
from clave.flows.recover.tasks import tell_who_waits
from clave.flows.register.tasks import verify_pending
from clave.keys.models import Attempts, TemporaryKey
from clave.signin.models import Session


@every(3600)
@task()
def tidy() -> None:
    """Delete expired sessions, captchas, submissions, temporary keys, old failures and delivered messages."""
    now, kept = clock.now(), timedelta(days=settings.RETENTION_DAYS["messages"])
    Session.objects.filter(expire_date__lt=now).delete()
    captcha.purge_expired()
    Submission.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    TemporaryKey.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    Attempts.objects.filter(holder=None, last_at__lt=now - timedelta(days=2)).delete()
    Attempts.objects.filter(last_at__lt=now - timedelta(days=settings.RETENTION_DAYS["attempts"])).delete()
    Message.objects.exclude(state=State.PENDING).filter(created_at__lt=now - kept).delete()
    contact_change.forget_over()
    question_renewal.forget_over()
    call_command("prune_db_task_results", min_age_days=1, verbosity=0)


every(60)(verify_pending)
every(60)(tell_who_waits)
