"""No statement of sign-on reads a whole table that grows with age (abuse case 80)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from clave.holders.models import Holder, Profile, Verification
from clave.lib import clock
from clave.sso import logout
from clave.sso.models import Consent, Grant, LogoutNotice, Subject, UsedAssertion
from clave.sso.tasks import rotate_keys_and_purge
from tests.sso.application import Application, signed_in
from tests.test_growth import scans_of, stored

MANY = 5000
GROWING = {model._meta.db_table for model in (Grant, Consent, Subject, LogoutNotice, UsedAssertion, Holder)}


def history(app: Application) -> None:
    """A month of sign-ons: most sessions are over, most notices taken."""
    now = clock.now()
    later, before = now + timedelta(days=20), now - timedelta(days=2)
    person = {"profile": Profile.PERSONA_NATURAL, "verification": Verification.VERIFIED}
    holders = stored(
        Holder, (Holder(identifier=f"{n}-Y", created_at=now, updated_at=now, **person) for n in range(MANY))
    )
    times = {"given_at": now, "expires_at": now + timedelta(days=300)}
    stored(Consent, (Consent(holder=holder, client=app.client, scopes=["openid"], **times) for holder in holders))
    stored(Subject, (Subject(holder=each, sector="x", value=f"{n:032x}") for n, each in enumerate(holders)))
    life = {"code_expires_at": before, "code_used_at": before, "created_at": before, "expires_at": later}
    stored(
        Grant,
        (
            Grant(
                id=f"{n:032x}",
                client=app.client,
                holder=each,
                sid=f"{n:032x}",
                account_version=0,
                scopes="openid",
                auth_time=before,
                code_hash=f"{n:064x}",
                session_ended_at=now,
                **life,
            )
            for n, each in enumerate(holders)
        ),
    )
    made = {"client": app.client, "created_at": before, "delivered_at": now}
    stored(LogoutNotice, (LogoutNotice(subject="x", sid=f"{n:032x}", **made) for n in range(MANY)))
    stored(UsedAssertion, (UsedAssertion(hash=f"{n:064x}", expires_at=later) for n in range(MANY)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.abuse(80)
@pytest.mark.slow
def test_nothing_of_sign_on_reads_a_growing_table_whole(app: Application) -> None:
    """What runs every five seconds, every hour, and what applications and people ask."""
    history(app)
    camila = signed_in()
    tokens = app.tokens(camila, scope="openid offline_access")
    assert scans_of(lambda: list(Grant.objects.filter(nonce="x")), GROWING), "what finds nothing must find this"
    jobs: list[Callable[[], Any]] = [
        logout.end_grants,
        logout.send_notices,
        rotate_keys_and_purge.call,
        partial(app.tokens, camila),
        partial(app.refresh, tokens["refresh_token"]),
        partial(app.userinfo, tokens["access_token"]),
        partial(app.introspect, tokens["refresh_token"]),
        partial(app.post, "revoke", {"token": tokens["access_token"]}),
        partial(camila.open, "/mi-cuenta/sistemas"),
        partial(camila.client.get, "/sso/logout", {"id_token_hint": tokens["id_token"]}),
    ]
    for job in jobs:
        assert scans_of(job, GROWING) == {}, job
