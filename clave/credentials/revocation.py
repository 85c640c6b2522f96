"""Revocation of sessions and earlier proofs. Source: abuse cases 17 and 50 of the threat model."""

from django.db.models import F

from clave.credentials.models import Credential, SecretAnswer, TemporaryKey
from clave.credentials.throttling import browser_axis
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import RequestContext


def end_access(holder: Holder, keep: RequestContext | None = None) -> None:
    """End all sessions, unfinished wizards, pending temporary keys and known browsers of an account.

    The browser of `keep`, if given, remains known. Call inside the use case's transaction, with the account locked
    (`holders.service.lock`).
    """
    Holder.objects.filter(pk=holder.pk).update(version=F("version") + 1)
    holder.version += 1
    holder.sessions.all().delete()
    TemporaryKey.objects.filter(holder=holder, used_at=None).update(used_at=clock.now())
    kept_axis = browser_axis(holder.account, keep) if keep else ""
    holder.known_browsers.exclude(axis=kept_axis).delete()


def revoke_proofs(holder: Holder) -> None:
    """Revoke the CS and the secret answer as well as all access: a stronger proof has identified the owner.

    Earlier requests still awaiting a decision are void (`Holder.recovered_at`). Mobile numbers on file are removed,
    since they may belong to the intruder. The old CS is kept as the previous one, so it cannot be chosen again.
    """
    end_access(holder)
    holder.recovered_at, holder.mobile, holder.no_mobile = clock.now(), "", True
    holder.save(update_fields=["recovered_at", "mobile", "no_mobile"])
    holder.representatives.update(mobile="")
    current = Credential.objects.filter(holder=holder).exclude(hash="")
    current.update(previous_hash=F("hash"), hash="", version=F("version") + 1, changed_at=clock.now())
    SecretAnswer.objects.filter(holder=holder).delete()
