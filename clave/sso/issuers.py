"""The two issuers: OpenID Connect as it is written, and the dialect of applications written for ClaveÚnica."""

from dataclasses import dataclass

from django.conf import settings

from clave.sso.models import Dialect


@dataclass(frozen=True)
class Issuer:
    """An issuer of tokens. `path` follows the site's address in its name, `prefix` starts its endpoints' paths.

    `logout_path` is where a client sends the browser to sign out.
    """

    dialect: Dialect
    path: str
    prefix: str
    logout_path: str

    @property
    def url(self) -> str:
        """Return the issuer identifier (OpenID Connect Core 1.0, section 1.2)."""
        return settings.CLAVE_URL + self.path

    def endpoint(self, name: str) -> str:
        """Return the absolute URL of an endpoint."""
        return f"{settings.CLAVE_URL}{self.prefix}/{name}"

    @property
    def logout_url(self) -> str:
        return settings.CLAVE_URL + self.logout_path


STANDARD = Issuer(Dialect.STANDARD, "", "/sso", "/sso/logout")
CLAVEUNICA = Issuer(Dialect.CLAVEUNICA, "/openid", "/openid", "/api/v1/accounts/app/logout")
BY_DIALECT = {issuer.dialect.value: issuer for issuer in (STANDARD, CLAVEUNICA)}
