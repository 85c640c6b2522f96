"""The table of clients: which library, how its sample application is installed and started, what it can do."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SAMPLES = Path(__file__).parent
PYTHON = (("{python}", "-m", "venv", ".venv"), (".venv/bin/pip", "install", "-q", "-r", "requirements.txt"))
NODE = (("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"),)
GO = (("go", "mod", "tidy"), ("go", "build", "-o", "bin/", "./..."))
MAVEN = (("mvn", "-q", "-B", "package"),)


@dataclass(frozen=True, eq=False)
class Client:
    """A library and its sample application.

    `package` is the name whose pinned version stands in the sample's `manifest`; without a manifest it is Debian's.
    Each application has `/`, `/me`, `/logout` and a page that refreshes. A broker stands, with an address of its own, between the
    application and Clave: `redirect_path` is there, and `broker` is its path for who has logged out. `buttons` are
    pressed on the application's own sign-in page. `without` says why a step is not asked of this client.
    """

    name: str
    language: str
    package: str
    manifest: str
    install: tuple[tuple[str, ...], ...]
    start: tuple[str, ...]
    redirect_path: str = "/callback"
    dialect: str = "oidc"
    pkce: bool = True
    algorithm: str = "ES256"
    refresh: str = "/refresh"
    broker: str = ""
    buttons: tuple[str, ...] = ()
    without: dict[str, str] = field(default_factory=dict)
    remark: str = ""

    @property
    def folder(self) -> Path:
        return SAMPLES / self.name

    def version(self) -> str:
        """Return the version that the manifest pins, or which Debian has installed."""
        if not self.manifest:
            words = ["dpkg-query", "--show", "--showformat", "${Version}", self.package]
            return subprocess.run(words, capture_output=True, text=True, check=True).stdout
        text = (self.folder / self.manifest).read_text(encoding="utf-8")
        pinned = re.search(rf"{re.escape(self.package)}\W+(?:artifactId\W+version\W+)?v?(\d[\w.+~-]*)", text)
        if pinned is None:
            raise ValueError(f"{self.manifest} of {self.name} does not pin {self.package}")
        return pinned[1]


UNSIGNED = "does not check the id token's signature: it came over TLS from the token endpoint"
CLIENTS = [
    Client(
        name="authlib",
        language="Python",
        package="Authlib",
        manifest="requirements.txt",
        install=PYTHON,
        start=(".venv/bin/python", "app.py"),
    ),
    Client(
        name="mozilla-django-oidc",
        language="Python",
        package="mozilla-django-oidc",
        manifest="requirements.txt",
        install=PYTHON,
        start=(".venv/bin/python", "app.py"),
        redirect_path="/oidc/callback/",
        remark="renews its session with `prompt=none` instead of a refresh token",
    ),
    Client(
        name="django-clave-unica",
        language="Python",
        package="django-clave-unica",
        manifest="requirements.txt",
        install=PYTHON,
        start=(".venv/bin/python", "app.py"),
        redirect_path="/claveunica/callback/",
        dialect="claveunica",
        pkce=False,
        algorithm="RS256",
        without={"refresh": "has none", "new key": "does not read the id token"},
        remark="asks userinfo with POST; keeps code and access token in columns of 120 characters",
    ),
    Client(
        name="openid-client",
        language="JavaScript",
        package="openid-client",
        manifest="package.json",
        install=NODE,
        start=("node", "app.mjs"),
        remark="with `enableNonRepudiationChecks`, so that it checks the signature",
    ),
    Client(
        name="oauth4webapi",
        language="JavaScript",
        package="oauth4webapi",
        manifest="package.json",
        install=NODE,
        start=("node", "app.mjs"),
        remark="with `validateApplicationLevelSignature`, so that it checks the signature",
    ),
    Client(
        name="express-openid-connect",
        language="JavaScript",
        package="express-openid-connect",
        manifest="package.json",
        install=NODE,
        start=("node", "app.mjs"),
        remark=UNSIGNED,
    ),
    Client(
        name="auth-core",
        language="JavaScript",
        package="@auth/core",
        manifest="package.json",
        install=NODE,
        start=("node", "app.mjs"),
        redirect_path="/auth/callback/clave",
        buttons=("Sign in with Clave",),
        without={"refresh": "leaves it to the application"},
        remark=UNSIGNED,
    ),
    Client(
        name="go-oidc",
        language="Go",
        package="github.com/coreos/go-oidc/v3",
        manifest="go.mod",
        install=GO,
        start=("bin/interop",),
    ),
    Client(
        name="oauth2-proxy",
        language="Go",
        package="github.com/oauth2-proxy/oauth2-proxy/v7",
        manifest="go.mod",
        install=(("go", "mod", "tidy"), ("go", "build", "-o", "bin/", "tool", "./...")),
        start=("{python}", "start.py"),
        redirect_path="/oauth2/callback",
        refresh="/me",
        remark="refreshes by itself after `cookie-refresh`, here a second; `insecure-oidc-allow-unverified-email`, since "
        "Clave says `email_verified: false`",
    ),
    Client(
        name="spring-security",
        language="Java",
        package="spring-boot-starter-parent",
        manifest="pom.xml",
        install=MAVEN,
        start=("java", "-jar", "target/app.jar"),
        redirect_path="/login/oauth2/code/clave",
        remark="the version is Spring Boot's; expects id tokens signed with RS256 unless told ES256",
    ),
    Client(
        name="keycloak",
        language="Java",
        package="keycloak-quarkus-dist",
        manifest="pom.xml",
        install=MAVEN,
        start=("{python}", "start.py"),
        redirect_path="/realms/interop/broker/clave/endpoint",
        broker="/realms/interop/broker/clave/endpoint/logout_response",
        without={"userinfo": "reads it while signing in, for itself", "refresh": "renews only its own session"},
        remark="as broker between an application and Clave",
    ),
    Client(
        name="mod-auth-openidc",
        language="C",
        package="libapache2-mod-auth-openidc",
        manifest="",
        install=(),
        start=("{python}", "start.py"),
        redirect_path="/oidc/callback",
    ),
]
