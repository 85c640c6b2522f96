"""Relying applications, which OAuth calls clients."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clave.sso.models.keys import Algorithm


class Dialect(models.TextChoices):
    """Which of the two issuers a client speaks to."""

    STANDARD = "oidc", "OpenID Connect"
    CLAVEUNICA = "claveunica", _("Como ClaveÚnica")


class ClientKind(models.TextChoices):
    """How a client proves who it is at the token endpoint (OpenID Connect Core 1.0, section 9)."""

    SECRET = "secret", _("Con secreto (client_secret_basic o client_secret_post)")  # pragma: allowlist secret
    KEY = "key", _("Con clave privada (private_key_jwt)")
    PUBLIC = "public", _("Pública, sin secreto: aplicación de teléfono o de una sola página")


class SubjectType(models.TextChoices):
    """Whether all clients know a holder by the same identifier (OpenID Connect Core 1.0, section 8)."""

    PUBLIC = "public", _("El mismo para todas las aplicaciones")
    PAIRWISE = "pairwise", _("Distinto para cada aplicación")


class Client(models.Model):
    """An application that relies on Clave for sign-in.

    `profiles` are the profiles that may sign in there; none means any. `scopes` are those it may ask for.
    `is_resource_server` clients may introspect the tokens of others (RFC 7662). `jwks` holds its public keys, with
    which it signs request objects and client assertions.
    """

    client_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=80)
    contact = models.EmailField(max_length=120, blank=True)
    home_url = models.URLField(max_length=300, blank=True)
    dialect = models.CharField(max_length=10, choices=Dialect.choices, default=Dialect.STANDARD)
    kind = models.CharField(max_length=10, choices=ClientKind.choices, default=ClientKind.SECRET)
    redirect_uris = models.JSONField(default=list)
    post_logout_redirect_uris = models.JSONField(default=list, blank=True)
    backchannel_logout_uri = models.CharField(max_length=500, blank=True)
    frontchannel_logout_uri = models.CharField(max_length=500, blank=True)
    scopes = models.JSONField(default=list)
    profiles = models.JSONField(default=list, blank=True)
    subject_type = models.CharField(max_length=10, choices=SubjectType.choices, default=SubjectType.PAIRWISE)
    sector = models.CharField(max_length=200, blank=True)
    # OpenID Connect Registration 1.0, section 2: what libraries expect that nobody has told otherwise.
    id_token_algorithm = models.CharField(max_length=5, choices=Algorithm.choices, default=Algorithm.RS256)
    userinfo_algorithm = models.CharField(max_length=5, choices=Algorithm.choices, blank=True)
    jwks = models.JSONField(default=dict, blank=True)
    requires_pkce = models.BooleanField(default=True)
    requires_pushed_requests = models.BooleanField(default=False)
    requires_dpop = models.BooleanField(default=False)
    is_resource_server = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    # The version of its logo, part of the logo's address; empty if it has none.
    logo_version = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def is_public(self) -> bool:
        return self.kind == ClientKind.PUBLIC


class ClientSecret(models.Model):
    """A client's secret: 256 random bits, of which only the SHA-256 is kept. During a rotation two are valid."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="secrets")
    hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)


class ClientLogo(models.Model):
    """A client's logo: a small PNG, written anew by us. Apart from the client, which is read with every request."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, primary_key=True, related_name="logo")
    png = models.BinaryField()
