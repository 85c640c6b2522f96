"""Clients: found, proved to be who they say, and managed. The back office, the command and the API share this."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.db.hot_queries import Lookup
from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.sso import client_rules
from clave.sso.models import Client, ClientKind, ClientSecret, Grant, PendingAuthorization, SubjectType

# During a rotation the old secret stays valid for this long, so that every server of the client can take the new one.
BOTH_VALID = timedelta(days=7)
_BY_ID = Lookup(lambda client_id: Client.objects.filter(client_id=client_id), "client")
_BY_HASH = Lookup(
    lambda digest, client: ClientSecret.objects.filter(hash=digest, client_id=client), "digest", 2_000_000_000
)


class Unfit(Refused):
    """The settings break a rule of `client_rules`; `problems` says which, by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("client_unfit", "; ".join(f"{field}: {problem}" for field, problem in problems.items()))
        self.problems = problems


class UsesNoSecret(Refused):
    """The client proves who it is in another way, so it can be given no secret."""

    status = 409

    def __init__(self) -> None:
        super().__init__("client_uses_no_secret", _("Este sistema no usa secreto."))


def find(client_id: str) -> Client | None:
    """Return the client with this `client_id`, also a suspended one."""
    return _BY_ID.one(client_id) if 0 < len(client_id) <= 64 and client_id.isprintable() else None


def search(text: str) -> QuerySet[Client]:
    """Return the clients with this in name, contact or site, or as `client_id`, by name; all of them without a text."""
    found = Client.objects.order_by("name", "pk")
    if not text:
        return found
    return found.filter(
        Q(name__icontains=text) | Q(client_id=text) | Q(contact__icontains=text) | Q(home_url__icontains=text)
    )


def sector_of(client: Client) -> str:
    """Return the sector whose clients know a holder by one name: the one set, or the host that is redirected to."""
    return client.sector or urlsplit(client.redirect_uris[0]).hostname or client.client_id


def has_secret(client: Client, secret: str) -> bool:
    """Return whether this is one of the client's valid secrets."""
    stored = _BY_HASH.one(fingerprint(secret), client.pk)
    return stored is not None and (stored.expires_at is None or stored.expires_at > clock.now())


def valid_secrets(client: Client) -> QuerySet[ClientSecret]:
    """Return the client's valid secrets, the newest first: two during a rotation."""
    valid = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    return client.secrets.filter(valid).order_by("-pk")


@transaction.atomic
def create(client: Client, context: RequestContext, operator: str = "") -> str:
    """Store a new client under a random `client_id`; return its secret, shown once, or an empty string.

    `operator` is who did it, if it was done in the back office. Raises `Unfit`.
    """
    client.client_id = client.client_id or secrets.token_hex(16)
    _settle(client)
    client.created_at = clock.now()
    client.save()
    audit.record("sso.client_created", context, client=client.client_id, operator=operator)
    return _new_secret(client) if client.kind == ClientKind.SECRET else ""


@transaction.atomic
def update(client: Client, changes: Mapping[str, object], context: RequestContext, operator: str = "") -> Client:
    """Change these fields of a client; return it as it is now. Raises `Unfit`.

    A client that proves who it is in another way from now on loses its secrets. The audit trail says which fields
    changed and, because it widens where people can be sent, which hosts are new.
    """
    locked = _locked(client)
    changed = sorted(name for name, value in changes.items() if getattr(locked, name) != value)
    hosts_before = client_rules.hosts_of(locked)
    for name in changed:
        setattr(locked, name, changes[name])
    _settle(locked)
    if not changed:
        return locked
    locked.save()
    if locked.kind != ClientKind.SECRET:
        valid_secrets(locked).update(expires_at=clock.now())
    new_hosts = " ".join(sorted(client_rules.hosts_of(locked) - hosts_before))
    audit.record(
        "sso.client_changed",
        context,
        client=locked.client_id,
        operator=operator,
        fields=" ".join(changed),
        new_hosts=new_hosts,
    )
    return locked


@transaction.atomic
def set_active(client: Client, active: bool, context: RequestContext, operator: str = "") -> Client:
    """Suspend or resume a client. Suspending ends all its tokens and codes, which resuming does not bring back."""
    locked = _locked(client)
    if locked.active == active:
        return locked
    locked.active = active
    locked.save(update_fields=["active"])
    if not active:
        Grant.objects.filter(client=locked, revoked_at=None).update(revoked_at=clock.now())
        PendingAuthorization.objects.filter(client=locked).delete()
    state = "resumed" if active else "suspended"
    audit.record("sso.client_active", context, client=locked.client_id, operator=operator, state=state)
    return locked


@transaction.atomic
def rotate_secret(client: Client, context: RequestContext, operator: str = "", *, at_once: bool = False) -> str:
    """Return a new secret, shown once. The former one expires after `BOTH_VALID`, or `at_once`; any older one now.

    Raises `UsesNoSecret`.
    """
    locked = _locked(client)
    if locked.kind != ClientKind.SECRET:
        raise UsesNoSecret
    former = valid_secrets(locked).first()
    kept = former if former is not None and not at_once else None
    _expire_all_but(locked, kept)
    if kept is not None:
        expires_at = clock.now() + BOTH_VALID
        locked.secrets.filter(pk=kept.pk, expires_at=None).update(expires_at=expires_at)
    audit.record("sso.secret_rotated", context, client=locked.client_id, operator=operator)
    return _new_secret(locked)


@transaction.atomic
def end_former_secret(client: Client, context: RequestContext, operator: str = "") -> int:
    """End a rotation: only the newest secret stays valid. Return how many ended."""
    locked = _locked(client)
    ended = _expire_all_but(locked, valid_secrets(locked).first())
    if ended:
        audit.record("sso.secret_ended", context, client=locked.client_id, operator=operator)
    return ended


def _expire_all_but(client: Client, kept: ClientSecret | None) -> int:
    ending = valid_secrets(client)
    if kept is not None:
        ending = ending.exclude(pk=kept.pk)
    return ending.update(expires_at=clock.now())


def _locked(client: Client) -> Client:
    return Client.objects.select_for_update().get(pk=client.pk)


def _settle(client: Client) -> None:
    """Set what follows from other fields, and judge the whole. Raises `Unfit`.

    The sector is set for good: holders stay the same ones to the client when its addresses change.
    """
    client_rules.prepare(client)
    if problems := client_rules.problems(client):
        raise Unfit(problems)
    if client.subject_type == SubjectType.PAIRWISE:
        client.sector = sector_of(client)[:200]


def _new_secret(client: Client) -> str:
    secret = secrets.token_urlsafe(32)
    ClientSecret.objects.create(client=client, hash=fingerprint(secret), created_at=clock.now())
    return secret
