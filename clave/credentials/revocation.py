"""Ending what was proved before. Source: abuse cases 17 and 50 of the threat model."""

from django.db.models import F

from clave.credentials.models import Credential, SecretAnswer, TemporaryKey
from clave.credentials.throttling import browser_axis
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import RequestContext


def end_access(holder: Holder, keep: RequestContext | None = None) -> None:
    """End every session, half-finished wizard, pending temporary key and known browser of an account.

    The browser of `keep`, if one is given, stays known. Call inside the use case's transaction, with the account
    locked (`holders.service.lock`).
    """
    Holder.objects.filter(pk=holder.pk).update(version=F("version") + 1)
    holder.version += 1
    holder.sessions.all().delete()
    TemporaryKey.objects.filter(holder=holder, used_at=None).update(used_at=clock.now())
    here = browser_axis(holder.account, keep) if keep else ""
    holder.known_browsers.exclude(axis=here).delete()


def revoke_proofs(holder: Holder) -> None:
    """End, besides all access, the CS and the secret answer: a stronger proof has shown who the owner is.

    What was begun before and still waits for somebody's decision is void (`Holder.taken_back_at`), and mobiles on file
    are forgotten: they may be the other one's. The former CS stays as one that must not be chosen again.
    """
    end_access(holder)
    holder.taken_back_at, holder.mobile, holder.no_mobile = clock.now(), "", True
    holder.save(update_fields=["taken_back_at", "mobile", "no_mobile"])
    holder.representatives.update(mobile="")
    live = Credential.objects.filter(holder=holder).exclude(hash="")
    live.update(previous_hash=F("hash"), hash="", version=F("version") + 1, changed_at=clock.now())
    SecretAnswer.objects.filter(holder=holder).delete()
