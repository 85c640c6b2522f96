"""Periodic tasks: deletion of expired data, deferred verification, registry notifications."""

from datetime import timedelta

from django.conf import settings
from django.core.management import call_command
from django_tasks import task

from clave.credentials.models import Attempts, TemporaryKey
from clave.lib import clock
from clave.lib.schedule import every
from clave.notifications.models import Message, State
from clave.selfservice.confirmations import contact_change, question_renewal
from clave.selfservice.recover.tasks import tell_who_waits
from clave.selfservice.register.tasks import verify_pending
from clave.signin.models import Session
from clave.web.captcha import service as captcha
from clave.web.models import Submission


@every(3600)
@task()
def housekeeping() -> None:
    """Delete expired sessions, captchas, submissions, temporary keys, old failures and delivered messages."""
    now, message_retention = clock.now(), timedelta(days=settings.RETENTION_DAYS["messages"])
    Session.objects.filter(expire_date__lt=now).delete()
    captcha.purge_expired()
    Submission.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    TemporaryKey.objects.filter(expires_at__lt=now - timedelta(days=1)).delete()
    Attempts.objects.filter(holder=None, last_at__lt=now - timedelta(days=2)).delete()
    Attempts.objects.filter(last_at__lt=now - timedelta(days=settings.RETENTION_DAYS["attempts"])).delete()
    Message.objects.exclude(state=State.PENDING).filter(created_at__lt=now - message_retention).delete()
    contact_change.forget_over()
    question_renewal.forget_over()
    call_command("prune_db_task_results", min_age_days=1, verbosity=0)


every(60)(verify_pending)
every(60)(tell_who_waits)
