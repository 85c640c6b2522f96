"""What a browser brings back from a door, and what the issuer says when asked with it."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from clave.lib import clock
from clave.lib.crypto import keyed_hash
from clave.lib.rut import InvalidRut, Rut
from clave.sso import jwts
from clave.sso.models import UpstreamRequest
from clave.sso.upstream import client
from clave.sso.upstream.client import Endpoints, Json
from clave.sso.upstream.doors import UpstreamDoor

# How long somebody may take at the door.
LIFE = timedelta(minutes=10)


def nonce_of(state: str) -> str:
    """Return the nonce that belongs to a state (OpenID Connect Core 1.0, section 3.1.2.1)."""
    return keyed_hash("door-nonce", state)


def verifier_of(state: str) -> str:
    """Return the PKCE verifier that belongs to a state (RFC 7636, section 4.1)."""
    return keyed_hash("door-verifier", state)


class DoorAnswer:
    """The answer to a request; the issuer is asked for what a check looks at first, and only then.

    `begun` is the request this browser began, if the answer's state is of it. Attributes may raise `DoorDown`.
    """

    def __init__(self, door: UpstreamDoor, parameters: Mapping[str, str], begun: UpstreamRequest | None) -> None:
        self.door = door
        self.parameters = parameters
        self.begun = begun
        self.now = clock.now()
        self.state = parameters.get("state", "")
        self._issuer = client.issuer_of(door)
        self._until = client.deadline()

    @cached_property
    def endpoints(self) -> Endpoints:
        return self._issuer.endpoints(self._until)

    @cached_property
    def tokens(self) -> Json:
        """Return the token endpoint's answer; empty if it refused."""
        return self._issuer.exchange(self._until, self.parameters["code"], self.state, verifier_of(self.state))

    @cached_property
    def id_token(self) -> Json | None:
        """Return the id token's claims if one of the issuer's keys has signed it with an allowed algorithm."""
        text = self.tokens.get("id_token")
        if not self.door.discovers or not isinstance(text, str):
            return None
        header = jwts.header_of(text)
        if header is None:
            return None
        return jwts.claims_of(text, self._issuer.keys(self._until, str(header.get("kid", ""))), jwts.SIGNATURES)

    @cached_property
    def userinfo(self) -> Json:
        """Return the claims about the person; empty if the issuer gave none."""
        return self._issuer.userinfo(self._until, str(self.tokens.get("access_token", "")))

    @property
    def subject(self) -> str:
        """Return the issuer's name for the person; empty if it gives none that can be stored."""
        subject = self.userinfo.get("sub")
        usable = isinstance(subject, str) and subject.isprintable() and len(subject) <= 255
        return str(subject) if usable else ""

    @property
    def run_kind(self) -> str:
        """Return the kind of identifier in ClaveÚnica's answer: RUN, or another one for who has none."""
        return str(self._unique_role.get("tipo", ""))

    @property
    def rut(self) -> Rut | None:
        """Return the RUN or RUT the issuer vouches for; None if there is none with a right check digit."""
        try:
            return Rut.parse(self._rut_text)
        except InvalidRut:
            return None

    @property
    def name(self) -> str:
        """Return the person's name, to greet them with; it is not stored."""
        name = self.userinfo.get("name")
        if isinstance(name, dict):
            name = " ".join([*_texts(name.get("nombres")), *_texts(name.get("apellidos"))])
        return name[:120] if isinstance(name, str) and name.isprintable() else ""

    @property
    def _unique_role(self) -> Mapping[str, Any]:
        role = self.userinfo.get("RolUnico")
        return role if isinstance(role, dict) else {}

    @property
    def _rut_text(self) -> str:
        if self.door.rut_claim:
            return str(self.userinfo.get(self.door.rut_claim) or (self.id_token or {}).get(self.door.rut_claim) or "")
        return f"{self._unique_role.get('numero', '')}-{self._unique_role.get('DV', '')}"


def _texts(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
