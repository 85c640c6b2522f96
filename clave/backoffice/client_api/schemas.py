"""Input and output schemas of the clients' API. Input outside the described bounds is answered with 422."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import ConfigDict, JsonValue, StringConstraints

from clave.sso import client_rules
from clave.sso.client_rules import MOST_ADDRESSES
from clave.sso.models import Client

# No control characters: PostgreSQL cannot store NUL. Lone surrogates are not valid text and are refused in any case.
_NO_CONTROLS = r"^[^\u0000-\u001f\u007f]*$"


def _text(most: int, least: int = 0) -> StringConstraints:
    return StringConstraints(min_length=least, max_length=most, pattern=_NO_CONTROLS)


ClientId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Search = Annotated[str, _text(120)]
_Address = Annotated[str, _text(500)]
_Addresses = Annotated[list[_Address], Field(max_length=MOST_ADDRESSES)]
_Scope = Literal["openid", "profile", "name", "run", "email", "phone", "address", "entity", "offline_access"]
_Algorithm = Literal["ES256", "RS256"]


class Input(Schema):
    """Base of input schemas: values must have the described type and are not converted; unknown names are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class ClientChanges(Input):
    """A client's settings, as the back office has them. What is left out stays as it is."""

    name: Annotated[str, _text(80, least=1)] = ""
    contact: Annotated[str, _text(120)] = ""
    home_url: Annotated[str, _text(300)] = ""
    dialect: Literal["oidc", "claveunica"] = "oidc"
    kind: Literal["secret", "key", "public"] = "secret"
    redirect_uris: Annotated[list[_Address], Field(min_length=1, max_length=MOST_ADDRESSES)] = Field(
        default_factory=list, examples=[["https://app.example.cl/callback"]]
    )
    post_logout_redirect_uris: _Addresses = Field(default_factory=list)
    backchannel_logout_uri: _Address = ""
    frontchannel_logout_uri: _Address = ""
    scopes: Annotated[list[_Scope], Field(min_length=1, max_length=20)] = ["openid", "profile", "run", "email"]
    profiles: Annotated[list[Literal["PN", "PJ", "MI", "FE"]], Field(max_length=4)] = Field(default_factory=list)
    subject_type: Literal["public", "pairwise"] = "pairwise"
    sector: Annotated[str, _text(200)] = ""
    id_token_algorithm: _Algorithm = "RS256"  # noqa: S105 (the name of an algorithm)
    userinfo_algorithm: Literal["", "ES256", "RS256"] = ""
    jwks: dict[str, JsonValue] = Field(default_factory=dict, description="Public keys (RFC 7517); empty for none")
    requires_pkce: bool = True
    requires_pushed_requests: bool = False
    requires_dpop: bool = False
    is_resource_server: bool = False


class ClientIn(ClientChanges):
    """A new client. What is left out is usual."""

    name: Annotated[str, _text(80, least=1)]
    redirect_uris: Annotated[list[_Address], Field(min_length=1, max_length=MOST_ADDRESSES)] = Field(
        examples=[["https://app.example.cl/callback"]]
    )


class ClientOut(Schema):
    client_id: str
    active: bool
    created_at: datetime
    name: str
    contact: str
    home_url: str
    dialect: str
    kind: str
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    backchannel_logout_uri: str
    frontchannel_logout_uri: str
    scopes: list[str]
    profiles: list[str]
    subject_type: str
    sector: str
    id_token_algorithm: str
    userinfo_algorithm: str
    jwks: dict[str, JsonValue]
    requires_pkce: bool
    requires_pushed_requests: bool
    requires_dpop: bool
    is_resource_server: bool

    @classmethod
    def of(cls, client: Client) -> "ClientOut":
        stored = {"client_id": client.client_id, "active": client.active, "created_at": client.created_at}
        return cls.model_validate({**stored, **client_rules.settings_of(client)})


class ClientMade(Schema):
    """A new client with its secret, shown this once; empty if it has none."""

    client: ClientOut
    client_secret: str


class RotationIn(Input):
    """`at_once`: the former secret became known and ends now, instead of in seven days."""

    at_once: bool = False


class SecretOut(Schema):
    """A client's new secret, shown this once."""

    client_secret: str


class Ended(Schema):
    ended: int


class Problem(Schema):
    """A description of the problem in one sentence."""

    detail: str


class Fault(Schema):
    type: str
    loc: list[str | int]
    msg: str


class Invalid(Schema):
    """The values that do not match the description: where (`loc`) and why (`msg`)."""

    detail: list[Fault]
