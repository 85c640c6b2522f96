"""Presentation of the four profiles: the URLs of their pages, identification fields and wording."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Required, Unpack

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.holders.models import DOCUMENTS, Profile
from clave.holders.service import ClaimedIdentity
from clave.lib.text import Text
from clave.web.forms import CaptchaField, ClaveForm, FieldArguments, FormArguments, NieField, RutField, TextField

Fields = dict[str, forms.Field]
CHOOSE = ("", _("Seleccione…"))


class DocumentField(TextField):
    """The number of a foreign document: letters and digits, stored in capitals."""

    def __init__(self, **arguments: Unpack[FieldArguments]) -> None:
        arguments.setdefault("label", _("Número de documento"))
        arguments.setdefault("help_text", _("Sin puntos ni espacios. Ejemplo: AB123456"))
        super().__init__(max_length=20, width="w-corto", **arguments)

    def clean(self, value: object) -> object:
        text = "".join(char for char in str(super().clean(value)) if char not in " .-").upper()
        if text and not (text.isascii() and text.isalnum() and len(text) >= 4):
            raise ValidationError(_("El número de documento tiene de 4 a 20 letras y números."), code="document")
        return text


class DocumentMixin(ClaveForm):
    """What identifies a facilitator: document type and number."""

    document_kind = forms.ChoiceField(
        label=_("Tipo de documento"),
        choices=[CHOOSE, *DOCUMENTS.items()],
        error_messages={"invalid_choice": _("Elija un tipo de la lista.")},
    )
    document = DocumentField()


def document_of(data: Mapping[str, object]) -> str:
    """Return the stored identifier for a valid form's document."""
    return f"{data['document_kind']} {data['document']}"


@dataclass(frozen=True)
class ProfileConfig:
    """What differs between profiles. `path_prefix` starts a profile's URLs, `prefix` its URL names."""

    profile: Profile
    path_prefix: str
    prefix: str
    title: Text
    at_hand: Text  # what the holder needs at hand to identify themselves, as a sentence fragment
    fields: Callable[[], Fields]
    identifier: Callable[[Mapping[str, object]], str]
    # Pages where this profile can act for itself.
    pages: tuple[str, ...] = ("signin", "register", "recover", "change", "update")

    def page(self, name: str) -> str:
        """Return the URL name of this profile's page `name`."""
        return self.prefix + name

    def url(self, name: str, *args: object) -> str:
        return reverse(self.page(name), args=args)

    def claim(self, identifier: str) -> ClaimedIdentity:
        return ClaimedIdentity(self.profile, identifier)


PERSON = ProfileConfig(
    profile=Profile.PERSONA_NATURAL,
    path_prefix="persona",
    prefix="",
    title=_("Persona Natural"),
    at_hand=_("su RUT"),
    fields=lambda: {"rut": RutField()},
    identifier=lambda data: str(data["rut"]),
)
COMPANY = ProfileConfig(
    profile=Profile.PERSONA_JURIDICA,
    path_prefix="empresa",
    prefix="company_",
    title=_("Persona Jurídica"),
    at_hand=_("el RUT de la empresa"),
    fields=lambda: {"rut": RutField(label=_("RUT Empresa"))},
    identifier=lambda data: str(data["rut"]),
)
MIGRANT = ProfileConfig(
    profile=Profile.MIGRANTE,
    path_prefix="migrante",
    prefix="migrant_",
    title=_("Migrante"),
    at_hand=_("su NIE"),
    fields=lambda: {"nie": NieField()},
    identifier=lambda data: str(data["nie"]),
)
FACILITATOR = ProfileConfig(
    profile=Profile.FACILITADOR,
    path_prefix="facilitador",
    prefix="facilitator_",
    title=_("Facilitador extranjero"),
    at_hand=_("su documento de identidad"),
    fields=lambda: {**DocumentMixin.base_fields},
    identifier=document_of,
    pages=("signin", "recover", "change"),
)
PROFILES = (PERSON, COMPANY, MIGRANT, FACILITATOR)
BY_PROFILE = {config.profile: config for config in PROFILES}


# A shared instance: forms copy their fields anyway.
_CAPTCHA_FIELDS: Fields = {"captcha": CaptchaField()}


@cache
def _identity_fields(profile: Profile, requires_representative: bool) -> Fields:
    fields = BY_PROFILE[profile].fields()
    if requires_representative and profile == Profile.PERSONA_JURIDICA:
        fields["representative"] = RutField(label=_("RUT del representante legal"))
    return fields


class ProfileArguments(FormArguments, total=False):
    """What a form of a profile is made with."""

    config: Required[ProfileConfig]
    letters: bool


class ProfileForm(ClaveForm):
    """A form that starts with the identification fields and ends with a captcha if `letters` is set.

    With `requires_representative`, a company's representative is identified too: that person is about to act for it.
    """

    requires_representative: ClassVar[bool] = False

    def __init__(self, *, config: ProfileConfig, letters: bool = True, **arguments: Unpack[FormArguments]) -> None:
        captcha_fields = _CAPTCHA_FIELDS if letters else {}
        identity = _identity_fields(config.profile, self.requires_representative)
        self.base_fields = {**identity, **self.base_fields, **captcha_fields}  # type: ignore[misc]
        self.config = config
        super().__init__(**arguments)

    @property
    def claim(self) -> ClaimedIdentity:
        """Return the identity claimed in a valid form."""
        representative = self.cleaned_data.get("representative") if self.requires_representative else None
        return ClaimedIdentity(
            self.config.profile, self.config.identifier(self.cleaned_data), str(representative or "")
        )
