"""The form of a client's settings, in plain words."""

import json
from collections.abc import Mapping
from typing import Any, Unpack

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from clave.holders.models import Profile
from clave.lib.text import Text
from clave.sso import claims
from clave.sso.certification.person import Person
from clave.sso.models import Algorithm, Client, ClientKind, Dialect, SubjectType
from clave.web.forms import ClaveForm, EmailField, FieldArguments, SecretField, TextField

# openid is not asked: it stands for the sign-in itself.
_SCOPES = [scope for scope in claims.ALL if scope != "openid"]
_AS_THEY_ARE = (
    "name", "contact", "home_url", "dialect", "kind", "backchannel_logout_uri", "frontchannel_logout_uri",
    "subject_type", "sector", "id_token_algorithm", "userinfo_algorithm", "requires_pkce", "requires_pushed_requests",
    "requires_dpop", "is_resource_server",
)  # fmt: skip


class _Lines(forms.CharField):
    """Several addresses, one a line; cleans to a list."""

    def __init__(self, **said: Unpack[FieldArguments]) -> None:
        attributes = {"rows": 4, "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
        super().__init__(max_length=30_000, widget=forms.Textarea(attrs=attributes), **said)
        self.widget.attrs.pop("maxlength", None)

    def clean(self, value: Any) -> Any:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


class _Keys(forms.CharField):
    """A JWK set as JSON (RFC 7517, section 5); cleans to a mapping, empty if there is none."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            keys = json.loads(text or "{}")
        except (ValueError, RecursionError):
            keys = None
        if not isinstance(keys, dict):
            raise ValidationError(translated("No es un conjunto de claves (JWKS)."), code="jwks")
        return keys


def _address(label: Text, help_text: Text) -> TextField:
    field = TextField(label=label, help_text=help_text, max_length=500, required=False)
    field.widget.attrs |= {"inputmode": "url", "autocapitalize": "off"}
    return field


def _yes(label: Text, help_text: Text = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


class ClientForm(ClaveForm):
    """What can be set of a client. Each scope and each profile has a box of its own, as each name is posted once."""

    name = TextField(
        label=_("Nombre del sistema"), max_length=80, help_text=_("Las personas lo leen cuando entran. Ejemplo: Aula.")
    )
    contact = EmailField(
        label=_("Correo de contacto"), required=False, help_text=_("De quien cuida el sistema. Las personas lo ven.")
    )
    home_url = _address(_("Sitio del sistema"), _("Su página principal. Ejemplo: https://aula.ejemplo.cl/"))
    dialect = forms.ChoiceField(
        label=_("Cómo habla con Clave"),
        choices=Dialect.choices,
        help_text=_("«Como ClaveÚnica» es para sistemas ya escritos para ClaveÚnica. Los nuevos usan OpenID Connect."),
    )
    kind = forms.ChoiceField(label=_("Cómo prueba quién es"), choices=ClientKind.choices)
    redirect_uris = _Lines(
        label=_("Direcciones de retorno"),
        help_text=_("Una por línea. Se comparan letra por letra. Ejemplo: https://aula.ejemplo.cl/callback"),
    )
    post_logout_redirect_uris = _Lines(
        label=_("Direcciones después de salir"),
        required=False,
        help_text=_("Una por línea. A dónde puede volver una persona que cerró su sesión."),
    )
    backchannel_logout_uri = _address(
        _("Aviso de cierre entre servidores"), _("Clave avisa ahí cuando una sesión termina. Es lo más seguro.")
    )
    frontchannel_logout_uri = _address(_("Aviso de cierre por el navegador"), _("Solo si no puede recibir el otro."))
    subject_type = forms.ChoiceField(
        label=_("Identificador de cada persona"),
        choices=SubjectType.choices,
        help_text=_("Si lo cambia, el sistema ya no reconoce por él a quienes entraron antes."),
    )
    sector = TextField(
        label=_("Sector"),
        max_length=200,
        required=False,
        help_text=_(
            "Los sistemas del mismo sector conocen a cada persona por el mismo identificador. Vacío: el sitio."
        ),
    )
    id_token_algorithm = forms.ChoiceField(label=_("Firma del ID token"), choices=Algorithm.choices)
    userinfo_algorithm = forms.ChoiceField(
        label=_("Firma de userinfo"), choices=[("", _("Sin firma (JSON)")), *Algorithm.choices], required=False
    )
    jwks = _Keys(
        label=_("Claves públicas del sistema (JWKS)"),
        required=False,
        help_text=_("Solo si prueba quién es con clave privada o firma sus solicitudes. Nunca pegue una privada."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )
    requires_pkce = _yes(_("Exigir PKCE"), _("Déjelo marcado, salvo que el sistema no lo sepa usar."))
    requires_pushed_requests = _yes(_("Exigir que envíe antes cada solicitud (PAR)"))
    requires_dpop = _yes(_("Exigir tokens atados a su clave (DPoP)"))
    is_resource_server = _yes(
        _("Puede consultar tokens de otros sistemas"), _("Solo para servicios que reciben tokens de Clave (RFC 7662).")
    )
    groups = [
        (_("El sistema"), ["name", "contact", "home_url", "dialect", "kind"]),
        (_("Direcciones"), ["redirect_uris", "post_logout_redirect_uris"]),
        (_("Qué puede saber de una persona"), [f"scope_{scope}" for scope in _SCOPES]),
        (_("Quién puede entrar (sin marcas: cualquiera)"), [f"profile_{profile}" for profile in Profile.values]),
        (_("Cierre de sesión"), ["backchannel_logout_uri", "frontchannel_logout_uri"]),
        (_("Identificador"), ["subject_type", "sector"]),
        (_("Firmas y claves"), ["id_token_algorithm", "userinfo_algorithm", "jwks"]),
        (_("Exigencias"), ["requires_pkce", "requires_pushed_requests", "requires_dpop", "is_resource_server"]),
    ]

    def adapt(self) -> None:
        for scope in _SCOPES:
            self.fields[f"scope_{scope}"] = _yes(claims.SCOPES[scope][1], scope)
        for profile in Profile:
            self.fields[f"profile_{profile.value}"] = _yes(profile.label)
        self.order_fields([name for _title, names in self.groups for name in names])

    @property
    def settings(self) -> dict[str, object]:
        """Return what was typed, as a client's fields."""
        data = self.cleaned_data
        return {
            **{name: data[name] for name in (*_AS_THEY_ARE, "redirect_uris", "post_logout_redirect_uris", "jwks")},
            "scopes": ["openid", *(scope for scope in _SCOPES if data[f"scope_{scope}"])],
            "profiles": [profile for profile in Profile.values if data[f"profile_{profile}"]],
        }

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Show each problem beside its field."""
        for field, problem in problems.items():
            self.refuse("client_unfit", problem, f"scope_{_SCOPES[0]}" if field == "scopes" else field)


def initial(client: Client) -> dict[str, object]:
    """Return what the form begins with."""
    return {
        **{name: getattr(client, name) for name in _AS_THEY_ARE},
        "redirect_uris": "\n".join(client.redirect_uris),
        "post_logout_redirect_uris": "\n".join(client.post_logout_redirect_uris),
        "jwks": json.dumps(client.jwks, indent=2) if client.jwks else "",
        **{f"scope_{scope}": scope in client.scopes for scope in _SCOPES},
        **{f"profile_{profile}": profile in client.profiles for profile in Profile.values},
    }


class LogoForm(ClaveForm):
    has_files = True
    logo = forms.FileField(
        label=_("Logo"),
        help_text=_("Un archivo .png de hasta 64 kB y 256 por 256 puntos."),
        # The service refuses empty files with its own message.
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".png"}),
        error_messages={"invalid": _("Elija un archivo de su equipo.")},
    )


class RotationForm(ClaveForm):
    at_once = _yes(
        _("El secreto actual se conoció: terminarlo ahora"),
        _("Sin esta marca, los dos secretos sirven por 7 días, para cambiarlo sin apuro en cada servidor."),
    )


class CheckForm(ClaveForm):
    """Where an integrator's application is; in a demo also who signs in there."""

    url = _address(_("Página del sistema que tiene el botón"), _("Ejemplo: https://aula.ejemplo.cl/ingresar"))
    logout_url = _address(
        _("Dirección para salir del sistema"), _("Solo si la página no muestra un enlace para salir.")
    )
    rut = TextField(
        label=_("RUT de una persona de prueba"),
        max_length=20,
        required=False,
        help_text=_("Sin ella no se ve si el sistema recibe bien a las personas."),
    )
    key = SecretField(label=_("Su Clave SENCE"), autocomplete="off", required=False)

    def adapt(self) -> None:
        if not settings.CLAVE_DEMO:
            del self.fields["rut"], self.fields["key"]

    @property
    def person(self) -> Person | None:
        """Return the test person, if one is to sign in."""
        data = self.cleaned_data
        return Person(data["rut"], data["key"]) if data.get("rut") and data.get("key") else None


class NoFieldsForm(ClaveForm):
    """A form without fields: only a confirmation button."""


class ApiTokenForm(ClaveForm):
    label = TextField(
        label=_("Nombre del token"), max_length=60, help_text=_("Para reconocerlo. Ejemplo: Despliegue automático.")
    )
