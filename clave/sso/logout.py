"""The end of a session, told to the clients it was used at.

A session ends in many ways: sign-out, a new key, "close the others", expiry. So nobody announces it: whoever looks
finds grants whose session is no longer there (`end_grants`), within seconds.
"""

from datetime import timedelta

import httpx
import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.crypto import random_id
from clave.signin.models import Session
from clave.sso import signing_keys
from clave.sso.issuers import BY_DIALECT
from clave.sso.models import Client, Grant, LogoutNotice

log = structlog.get_logger(__name__)
EVENT = "http://schemas.openid.net/event/backchannel-logout"
# A logout token is for now; a client that could not be reached is told with a new one.
TOKEN_LIFE = timedelta(minutes=2)
TIMEOUT_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE, MOST_TRIES = timedelta(seconds=5), timedelta(hours=1), 20
_A_TIME = 200


@transaction.atomic
def end_grants() -> int:
    """End the grants whose browser session is over; return how many.

    Those that may act offline stay, but their clients are told, too (OpenID Connect Back-Channel Logout 1.0,
    section 2.7).
    """
    now = clock.now()
    alive = Session.objects.filter(sid=OuterRef("sid"), expire_date__gt=now)
    unended = Grant.objects.select_for_update(skip_locked=True, of=("self",)).select_related("client")
    ended = list(unended.filter(~Exists(alive), session_ended_at=None)[:_A_TIME])
    for grant in ended:
        grant.session_ended_at = now
        if not grant.is_offline:
            grant.revoked_at = grant.revoked_at or now
    Grant.objects.bulk_update(ended, ["session_ended_at", "revoked_at"])
    notices = [_notice(grant) for grant in ended if grant.client.backchannel_logout_uri and grant.code_used_at]
    LogoutNotice.objects.bulk_create(notices, ignore_conflicts=True)
    return len(ended)


@transaction.atomic
def tell_of_deletion(holder: Holder) -> None:
    """Have clients told that a holder's sessions end, before the account is deleted and its grants with it."""
    exchanged = Grant.objects.filter(holder=holder, session_ended_at=None, code_used_at__isnull=False)
    reachable = exchanged.exclude(client__backchannel_logout_uri="").select_related("client")
    LogoutNotice.objects.bulk_create([_notice(grant) for grant in reachable], ignore_conflicts=True)


def _notice(grant: Grant) -> LogoutNotice:
    now = clock.now()
    return LogoutNotice(client=grant.client, subject=grant.subject, sid=grant.sid, created_at=now, next_try_at=now)


def send_notices() -> int:
    """Send the logout tokens that are due; return how many clients took theirs."""
    due = LogoutNotice.objects.filter(next_try_at__lte=clock.now()).order_by("next_try_at")
    silent: set[int] = set()
    taken = 0
    with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as http:
        for notice in due.select_related("client")[:_A_TIME]:
            # A client that does not answer is waited for once a round, so that it holds up no other.
            if notice.client_id in silent:
                _noted(notice, taken=False)
            elif _send(notice, http):
                taken += 1
            else:
                silent.add(notice.client_id)
    return taken


def _send(notice: LogoutNotice, http: httpx.Client) -> bool:
    """Send one logout token, and note when to try again if it was not taken."""
    try:
        answer = http.post(notice.client.backchannel_logout_uri, data={"logout_token": logout_token(notice)})
        taken = answer.status_code in (200, 204)
    except httpx.HTTPError:
        taken = False
    _noted(notice, taken=taken)
    if not taken:
        log.warning("sso.logout_not_taken", client=notice.client.client_id, tries=notice.tries)
    return taken


def _noted(notice: LogoutNotice, *, taken: bool) -> None:
    notice.tries += 1
    pause = min(FIRST_PAUSE * 2 ** (notice.tries - 1), LONGEST_PAUSE)
    notice.next_try_at = None if taken or notice.tries >= MOST_TRIES else clock.now() + pause
    notice.delivered_at = clock.now() if taken else None
    notice.save(update_fields=["tries", "next_try_at", "delivered_at"])


def logout_token(notice: LogoutNotice) -> str:
    """Return the signed logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4)."""
    now = clock.now()
    claims: dict[str, object] = {
        "iss": BY_DIALECT[notice.client.dialect].url,
        "aud": notice.client.client_id,
        "sub": notice.subject,
        "sid": notice.sid,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIFE).timestamp()),
        "jti": random_id(),
        "events": {EVENT: {}},
    }
    return signing_keys.sign(claims, notice.client.id_token_algorithm, "logout+jwt")


def clients_at(sid: str) -> list[Client]:
    """Return the clients at which a session was used."""
    return list(Client.objects.filter(grants__sid=sid, grants__code_used_at__isnull=False).distinct()) if sid else []
