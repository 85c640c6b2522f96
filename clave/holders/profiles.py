"""The four profiles as pages see them: where their pages are, how somebody says who they are, in which words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.holders.models import DOCUMENTS, Profile
from clave.holders.service import ClaimedIdentity
from clave.web.forms import CaptchaField, ClaveForm, NieField, RutField, TextField

Fields = dict[str, forms.Field]
CHOOSE = ("", _("Seleccione…"))


class DocumentField(TextField):
    """The number of a foreign document: letters and digits, kept in capitals."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Número de documento"))
        kwargs.setdefault("help_text", _("Sin puntos ni espacios. Ejemplo: AB123456"))
        super().__init__(max_length=20, width="w-corto", **kwargs)

    def clean(self, value: Any) -> Any:
        text = "".join(char for char in str(super().clean(value)) if char not in " .-").upper()
        if text and not (text.isascii() and text.isalnum() and len(text) >= 4):
            raise ValidationError(_("El número de documento tiene de 4 a 20 letras y números."), code="document")
        return text


def document_fields() -> Fields:
    """Return the fields that name a facilitator: what kind of document, and its number."""
    kind = forms.ChoiceField(
        label=_("Tipo de documento"),
        choices=[CHOOSE, *DOCUMENTS.items()],
        error_messages={"invalid_choice": _("Elija un tipo de la lista.")},
    )
    return {"document_kind": kind, "document": DocumentField()}


def document_of(data: Mapping[str, Any]) -> str:
    """Return the stored identifier of a clean form's document."""
    return f"{data['document_kind']} {data['document']}"


@dataclass(frozen=True)
class ProfileConfig:
    """One profile's way in. `path_prefix` begins its addresses, `prefix` the names of its pages."""

    profile: Profile
    path_prefix: str
    prefix: str
    title: Any
    at_hand: Any  # what one needs at hand to say who one is, as a part of a sentence
    fields: Callable[[], Fields]
    identifier: Callable[[Mapping[str, Any]], str]
    # What this profile can do by itself.
    pages: tuple[str, ...] = ("signin", "register", "recover", "change", "update")

    def page(self, name: str) -> str:
        """Return the name of this profile's page `name`."""
        return self.prefix + name

    def url(self, name: str, *args: Any) -> str:
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
    fields=document_fields,
    identifier=document_of,
    pages=("signin", "recover", "change"),
)
PROFILES = (PERSON, COMPANY, MIGRANT, FACILITATOR)
BY_PROFILE = {config.profile: config for config in PROFILES}


# Made once: each form copies its fields anyway.
_LETTERS: Fields = {"captcha": CaptchaField()}


@cache
def _front(profile: Profile, signs: bool) -> Fields:
    front = BY_PROFILE[profile].fields()
    if signs and profile == Profile.PERSONA_JURIDICA:
        front["representative"] = RutField(label=_("RUT del representante legal"))
    return front


class ProfileForm(ClaveForm):
    """A form that begins with who somebody is, and ends with the letters of an image if `letters` says so.

    With `signs` a company's representative is named too, because it is about to act for it.
    """

    signs: ClassVar[bool] = False

    def __init__(self, *args: Any, config: ProfileConfig, letters: bool = True, **kwargs: Any) -> None:
        last = _LETTERS if letters else {}
        self.base_fields = {**_front(config.profile, self.signs), **self.base_fields, **last}  # type: ignore[misc]
        self.config = config
        super().__init__(*args, **kwargs)

    @property
    def claim(self) -> ClaimedIdentity:
        """Return who somebody says to be, of a valid form."""
        representative = self.cleaned_data.get("representative") if self.signs else None
        return ClaimedIdentity(
            self.config.profile, self.config.identifier(self.cleaned_data), str(representative or "")
        )
