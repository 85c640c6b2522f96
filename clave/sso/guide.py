"""The guide for whoever connects a system: each language's example with the client's own values, never its secret."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from clave.lib.text import Text
from clave.sso import claveunica
from clave.sso.issuers import BY_DIALECT, CLAVEUNICA
from clave.sso.models import Client, ClientKind


@dataclass(frozen=True)
class Language:
    """A language or product of the guide; its example is the template `sso/guide/<code>.txt`."""

    code: str
    title: str
    library: str
    note: Text = ""
    # The signatures its library can check.
    algorithms: tuple[str, ...] = ("ES256", "RS256")


LANGUAGES = [
    Language("python", "Python", "Authlib"),
    Language("php", "PHP", "jumbojett/openid-connect-php", algorithms=("RS256",)),
    Language("java", "Java", "Nimbus OAuth 2.0 SDK"),
    Language("dotnet", ".NET", "Microsoft.AspNetCore.Authentication.OpenIdConnect"),
    Language("javascript", "JavaScript", "openid-client"),
    Language("spring", "Spring", "Spring Security"),
    Language("keycloak", "Keycloak", "Keycloak", _("Keycloak queda entre su aplicación y Clave.")),
    Language("apache", "Apache", "mod_auth_openidc", _("Apache hace entrar a la persona antes de mostrar su sitio.")),
]
BY_CODE = {language.code: language for language in LANGUAGES}


def without_client() -> Client:
    """Return a client with the usual settings and values to be replaced, for who has none yet."""
    return Client(
        client_id="SU-CLIENT-ID",
        redirect_uris=["https://su-sitio.cl/callback"],
        post_logout_redirect_uris=["https://su-sitio.cl/"],
        scopes=["openid", "profile", "run", "email"],
    )


def values_of(client: Client) -> dict[str, object]:
    """Return what the examples say of this client and its issuer."""
    issuer = BY_DIALECT[client.dialect]
    redirect_uri = client.redirect_uris[0]
    signed_out = (client.post_logout_redirect_uris or [client.home_url or redirect_uri])[0]
    offered = claveunica.SCOPES if issuer is CLAVEUNICA else client.scopes
    scopes = [scope for scope in offered if scope in client.scopes and scope != "offline_access"]
    return {
        "client_id": client.client_id,
        "issuer": issuer.url,
        "metadata": f"{issuer.url}/.well-known/openid-configuration",
        **{name: issuer.endpoint(name) for name in ("authorize", "token", "userinfo", "jwks")},
        "logout": issuer.logout_url,
        "redirect_uri": redirect_uri,
        "callback_path": urlsplit(redirect_uri).path or "/",
        "signed_out": signed_out,
        "scope": " ".join(scopes),
        "scopes_quoted": ", ".join(f"'{scope}'" for scope in scopes),
        "scopes_double": ", ".join(f'"{scope}"' for scope in scopes),
        "pkce": client.requires_pkce,
        "algorithm": client.id_token_algorithm,
        "claveunica": issuer is CLAVEUNICA,
        "plain_http": settings.CLAVE_URL.startswith("http://"),
        "with_secret": client.kind == ClientKind.SECRET,
    }


def example(language: Language, client: Client) -> str:
    """Return the language's example with this client's values."""
    return render_to_string(f"sso/guide/{language.code}.txt", values_of(client)).strip() + "\n"
