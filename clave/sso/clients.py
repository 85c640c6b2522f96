"""Clients: found, and proved to be who they say."""

import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q

from clave.audit import service as audit
from clave.db.hot_queries import Lookup
from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.lib.request_context import RequestContext
from clave.sso.models import Client, ClientSecret, SubjectType

# During a rotation the old secret stays valid for this long, so that every server of the client can take the new one.
BOTH_VALID = timedelta(days=7)
_BY_ID = Lookup(lambda client_id: Client.objects.filter(client_id=client_id), "client")


def find(client_id: str) -> Client | None:
    """Return the client with this `client_id`, also a suspended one."""
    return _BY_ID.one(client_id) if 0 < len(client_id) <= 64 and client_id.isprintable() else None


def sector_of(client: Client) -> str:
    """Return the sector whose clients know a holder by one name: the one set, or the host that is redirected to."""
    return client.sector or urlsplit(client.redirect_uris[0]).hostname or client.client_id


def has_secret(client: Client, secret: str) -> bool:
    """Return whether this is one of the client's valid secrets."""
    valid = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    return client.secrets.filter(valid, hash=fingerprint(secret)).exists()


@transaction.atomic
def create(client: Client, context: RequestContext, operator: str = "") -> str:
    """Store a new client under a random `client_id`; return its secret, shown once, or an empty string.

    `operator` is who did it, if it was done in the back office.
    """
    client.client_id = client.client_id or secrets.token_hex(16)
    if client.subject_type == SubjectType.PAIRWISE:
        # Set for good: holders stay the same ones to the client when its addresses change.
        client.sector = sector_of(client)
    client.created_at = clock.now()
    client.save()
    audit.record("sso.client_created", context, client=client.client_id, operator=operator)
    return _new_secret(client) if client.kind == "secret" else ""


@transaction.atomic
def rotate_secret(client: Client, context: RequestContext, operator: str = "", *, at_once: bool = False) -> str:
    """Return a new secret, shown once; former ones expire after `BOTH_VALID`, or `at_once`."""
    expires_at = clock.now() + (timedelta() if at_once else BOTH_VALID)
    client.secrets.filter(Q(expires_at=None) | Q(expires_at__gt=expires_at)).update(expires_at=expires_at)
    audit.record("sso.secret_rotated", context, client=client.client_id, operator=operator)
    return _new_secret(client)


def _new_secret(client: Client) -> str:
    secret = secrets.token_urlsafe(32)
    ClientSecret.objects.create(client=client, hash=fingerprint(secret), created_at=clock.now())
    return secret
