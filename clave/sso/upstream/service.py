"""Signing in through upstream doors: begin, judge the answer, link, unlink. Source: decision 0034; abuse case 56."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import service as credentials
from clave.credentials.service import Proof, WrongKey
from clave.holders.models import Holder
from clave.holders.service import claim_of, find, lock
from clave.lib import clock
from clave.lib.crypto import fingerprint, sha256_base64url
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.signin import service as signin
from clave.signin.service import SIGNED_IN
from clave.signin.sessions import SessionStore
from clave.sso.models import UpstreamIdentity, UpstreamRequest
from clave.sso.upstream import client
from clave.sso.upstream.answer import LIFE, DoorAnswer, nonce_of, verifier_of
from clave.sso.upstream.checks import WORDS, first_failure
from clave.sso.upstream.client import DoorDown
from clave.sso.upstream.doors import UpstreamDoor

UNLINKED = "door.unlinked"


class DoorRefused(Refused):
    """The door's answer cannot be used. The page offers the ordinary sign-in."""

    status = 403

    def __init__(self, code: str, door: UpstreamDoor) -> None:
        super().__init__(code, str(WORDS[code]).format(door=door.title))


class DoorClosed(DoorRefused):
    """The door does not respond."""

    status = 503


@dataclass(frozen=True)
class ProvedIdentity:
    """Whom a door has identified: a subject of its issuer with a RUN or RUT. `name` only greets; it is not stored."""

    door: str
    issuer: str
    subject: str
    rut: str
    name: str = ""

    def facts(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Arrival:
    """A judged answer: who came and where to go afterwards. `linked` is the holder this subject is linked to."""

    identity: ProvedIdentity
    back: str
    linked: Holder | None
    registered: bool


def begin(door: UpstreamDoor, back: str, context: RequestContext) -> str:
    """Remember that this browser begins a sign-in; return the door's address. Raises `DoorRefused` if it is down."""
    try:
        endpoints = client.issuer_of(door).endpoints(client.deadline())
    except DoorDown:
        raise DoorClosed("door_down", door) from None
    state, now = secrets.token_urlsafe(32), clock.now()
    with transaction.atomic():
        UpstreamRequest.objects.filter(created_at__lt=now - LIFE).delete()
        UpstreamRequest.objects.create(
            state=fingerprint(state), door=door.slug, browser=context.browser, back=back, created_at=now
        )
    query = {
        "response_type": "code",
        "client_id": door.client_id,
        "redirect_uri": door.redirect_uri,
        "scope": door.scopes,
        "state": state,
    }
    query |= {"nonce": nonce_of(state)} if door.discovers else {}
    if endpoints.pkce:
        query |= {"code_challenge": sha256_base64url(verifier_of(state)), "code_challenge_method": "S256"}
    return f"{endpoints.authorize}{'&' if '?' in endpoints.authorize else '?'}{urlencode(query)}"


def arrive(door: UpstreamDoor, parameters: Mapping[str, str], context: RequestContext) -> Arrival:
    """Judge the answer that a browser brings back. Raises `DoorRefused`."""
    begun = _take(parameters.get("state", ""), context)
    answer = DoorAnswer(door, parameters, begun)
    try:
        code = first_failure(answer)
    except DoorDown:
        code = "door_down"
    if code:
        if begun is not None:  # otherwise anybody could fill the trail
            audit.record(SIGNED_IN, context, outcome=code, door=door.slug)
        raise DoorClosed(code, door) if code == "door_down" else DoorRefused(code, door)
    identity = ProvedIdentity(door.slug, door.issuer, answer.subject, str(answer.rut), answer.name)
    linked = linked_holder(identity)
    if linked is not None and linked.identifier != identity.rut:
        audit.record(SIGNED_IN, context, holder=linked, outcome="door_unlinked", door=door.slug)
        raise DoorRefused("door_unlinked", door)
    known = find(door.profile, identity.rut)
    return Arrival(identity, begun.back if begun else "", linked, registered=known is not None and not known.legacy)


@transaction.atomic
def _take(state: str, context: RequestContext) -> UpstreamRequest | None:
    """Return the request that this browser began with this state, once."""
    begun = UpstreamRequest.objects.filter(pk=fingerprint(state), browser=context.browser).first()
    if begun is None or not UpstreamRequest.objects.filter(pk=begun.pk).delete()[0]:
        return None
    return begun


def linked_holder(identity: ProvedIdentity) -> Holder | None:
    """Return the holder this subject is linked to. Nothing else links: no e-mail, no name."""
    links = UpstreamIdentity.objects.select_related("holder__credential", "holder__secret_answer")
    link = links.filter(issuer=identity.issuer, subject=identity.subject, door=identity.door).first()
    return link.holder if link else None


def link(identity: ProvedIdentity, holder: Holder, context: RequestContext) -> None:
    """Link a proved identity to the holder with its RUT, who was proved too; replaces an earlier link of this door.

    Call inside the use case's transaction. Raises `AccountChanged`, `Refused` if the RUT is another one.
    """
    current = lock(holder)
    if current.identifier != identity.rut:
        raise another_rut()
    UpstreamIdentity.objects.filter(holder=current, door=identity.door).delete()
    UpstreamIdentity.objects.filter(issuer=identity.issuer, subject=identity.subject).delete()
    UpstreamIdentity.objects.create(
        holder=current, door=identity.door, issuer=identity.issuer, subject=identity.subject, linked_at=clock.now()
    )
    audit.record("door.linked", context, holder=current, door=identity.door)


@transaction.atomic
def link_and_admit(identity: ProvedIdentity, proof: Proof, session: SessionStore, context: RequestContext) -> None:
    """Link an identity to the holder who has given the key, and sign in. Raises as `link` and `signin.admit`."""
    link(identity, proof.holder, context)
    signin.admit(proof, session, context)


def another_rut() -> Refused:
    return Refused("another_rut", _("Este no es el RUT que se confirmó. Ingrese con el mismo RUT."), field="rut")


def check_key(holder: Holder, key: str, context: RequestContext) -> None:
    """Verify the key before a link is removed. Raises `WrongKey`, `TooManyAttempts`."""
    try:
        if credentials.try_key(claim_of(holder), key, context, UNLINKED).temporary:
            raise WrongKey
    except WrongKey as refused:
        refused.message, refused.field = _("La Clave SENCE no es correcta."), "key"
        raise


def unlink(holder: Holder, door: UpstreamDoor, context: RequestContext) -> None:
    """Remove the holder's link to a door, if there is one. Call inside the use case's transaction."""
    if UpstreamIdentity.objects.filter(holder=lock(holder), door=door.slug).delete()[0]:
        audit.record("door.unlinked", context, holder=holder, door=door.slug)
