"""Periodic tasks of sign-on."""

from datetime import timedelta

from django_tasks import task

from clave.lib import clock
from clave.lib.schedule import every
from clave.sso import logout, signing_keys
from clave.sso.models import Consent, Grant, LogoutNotice, PendingAuthorization, UsedAssertion

# A used code or token that comes again is recognized for this long after its grant has expired.
_REMEMBERED = timedelta(days=7)
# A code that nobody has exchanged is forgotten.
_UNUSED = timedelta(hours=1)


@every(5)
@task()
def tell_clients_of_ended_sessions() -> None:
    """End what was granted in sessions that are over, and tell the clients."""
    logout.end_grants()
    logout.send_notices()


@every(3600)
@task()
def rotate_keys_and_purge() -> None:
    """Rotate the keys when that is due, and delete what has expired."""
    now = clock.now()
    signing_keys.rotate_if_due()
    PendingAuthorization.objects.filter(expires_at__lte=now).delete()
    UsedAssertion.objects.filter(expires_at__lte=now).delete()
    Grant.objects.filter(expires_at__lte=now - _REMEMBERED).delete()
    Grant.objects.filter(code_used_at=None, code_expires_at__lte=now - _UNUSED).delete()
    Consent.objects.filter(expires_at__lte=now).delete()
    LogoutNotice.objects.filter(created_at__lte=now - _REMEMBERED).delete()
