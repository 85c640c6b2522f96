"""The demo's client `claveunica-demo`, for applications written for ClaveÚnica, and its test people.

They are those of ClaveÚnica's own sandbox: four RUNs with one password. They sign in at this client only and nobody
else does, so the demo's holders, some of whom have the same RUNs, keep their keys (docs/claveunica.md).
"""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from clave.audit import service as audit
from clave.holders.models import Holder, Profile, Verification
from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.signin.service import SIGNED_IN
from clave.signin.sessions import TYPED_KEY, SessionStore
from clave.sso import authorization, claveunica, client_rules
from clave.sso.authorization_request import AuthorizationRequest
from clave.sso.models import Client, ClientSecret, Dialect
from clave.sso.signed_in import SignedIn

CLIENT_ID, SECRET, PASSWORD = "claveunica-demo", "secreto-de-claveunica-demo", "testing"
# Where applications in development listen, and what they call the address to come back to.
PORTS = (3000, 4200, 5000, 5173, 8000, 8080, 8888)
PATHS = (
    "/callback",
    "/auth/callback",
    "/claveunica/callback",
    "/api/auth/callback/clave-unica",
    "/login/oauth2/code/claveunica",
)


@dataclass(frozen=True)
class SandboxPerson:
    """Somebody who can sign in at `claveunica-demo`."""

    run: Rut
    names: str
    surnames: str

    @property
    def email(self) -> str:
        return f"{self.run.number}@claveunica-demo.example.cl"


PEOPLE = [
    SandboxPerson(Rut.parse(run), "Persona", f"De Prueba {surname}")
    for run, surname in (
        ("44.444.444-4", "Cuatro"),
        ("55.555.555-5", "Cinco"),
        ("88.888.888-8", "Ocho"),
        ("99.999.999-9", "Nueve"),
    )
]


def load() -> None:
    """Register the client, or give it the addresses of a site that has moved."""
    own = settings.CLAVE_URL + reverse("sandbox_claveunica")
    client = Client.objects.filter(client_id=CLIENT_ID).first() or Client(client_id=CLIENT_ID, created_at=clock.now())
    client.name, client.dialect = "Aplicación de ejemplo escrita para ClaveÚnica", Dialect.CLAVEUNICA
    client.redirect_uris = [own, *redirect_uris()]
    client.post_logout_redirect_uris = [own, *(f"http://localhost:{port}/" for port in PORTS)]
    client.scopes, client.sector = claveunica.SCOPES, CLIENT_ID
    client_rules.prepare(client)
    client.save()
    ClientSecret.objects.get_or_create(client=client, hash=fingerprint(SECRET), defaults={"created_at": clock.now()})


def redirect_uris() -> list[str]:
    return [f"http://localhost:{port}{path}" for port in PORTS for path in PATHS]


def find(run: str) -> SandboxPerson | None:
    """Return the test person with this RUN, written as it is stored."""
    return next((person for person in PEOPLE if str(person.run) == run), None)


@transaction.atomic
def sign_in(person: SandboxPerson, request: AuthorizationRequest, context: RequestContext) -> str | None:
    """Sign a test person in at the client alone and consent; return the code, None if the request is over.

    The browser gets no session: one is stored so that the grant lives, but its key is given to nobody.
    """
    holder = _holder(person)
    session = SessionStore()
    session.begin(holder, context)
    audit.record(SIGNED_IN, context, holder=holder)
    here = SignedIn(holder, session["sid"], clock.now(), TYPED_KEY.door, TYPED_KEY.methods)
    return authorization.consent_and_issue_code(request, here, context)


def _holder(person: SandboxPerson) -> Holder:
    """Return the holder that stands for a test person, made when first needed.

    Its identifier is the RUN with dots. Holders are looked up by the RUN without, so whoever registers or signs in with
    the same RUN never meets it.
    """
    holder, _created = Holder.objects.get_or_create(
        profile=Profile.PERSONA_NATURAL,
        identifier=person.run.pretty,
        defaults={
            "names": person.names,
            "surnames": person.surnames,
            "email": person.email,
            "verification": Verification.DECLARED,
            "created_at": clock.now(),
            "updated_at": clock.now(),
        },
    )
    return holder
