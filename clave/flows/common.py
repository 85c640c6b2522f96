"""What the self-service flows share: fields of the guides' forms and the dates in their messages."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.core import clock
from clave.core.forms import ClaveForm, EmailField, SecretField, TextField
from clave.holders.comunas import comuna_choices, comunas, region_choices
from clave.holders.models import Holder
from clave.keys.policy import REASONS, PolicyViolation
from clave.keys.questions import QUESTIONS, CommonAnswer, check_answer

CHOOSE = ("", _("Seleccione…"))
LANDLINE = r"^[0-9+ ()-]*$"


def when() -> str:
    """Return the present moment as messages say it, `20-11-2026 a las 14:35`."""
    return clock.now().astimezone(clock.SANTIAGO).strftime("%d-%m-%Y a las %H:%M")


def key_rules() -> list[tuple[str, Any]]:
    """Return the rules shown beside a new key, as (name for the script, text)."""
    if settings.KEY_POLICY == "nist":
        return [
            ("length_nist", _("De 15 a 64 caracteres. Una frase sirve.")),
            ("common", _("Que no sea una clave común.")),
        ]
    return [
        ("length", _("De 8 a 10 letras y números")),
        ("upper", _("Al menos 2 letras mayúsculas")),
        ("digits", _("Al menos 6 números")),
    ]


class QuestionMixin(ClaveForm):
    """Pregunta Secreta and Respuesta Secreta, where the settings ask for them."""

    question = forms.ChoiceField(
        label=_("Pregunta secreta"),
        choices=[CHOOSE, *QUESTIONS.items()],
        help_text=_("Le servirá para recuperar su clave."),
        error_messages={"invalid_choice": _("Elija una pregunta de la lista.")},
    )
    answer = SecretField(
        label=_("Respuesta secreta"),
        autocomplete="off",
        max_length=80,
        visible=True,
        help_text=_("Escriba algo que otras personas no sepan. No importan las tildes ni las mayúsculas."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not settings.SECRET_QUESTIONS:
            hidden = ("question", "answer")
            self.base_fields = {k: f for k, f in self.base_fields.items() if k not in hidden}  # type: ignore[misc]
        super().__init__(*args, **kwargs)

    def clean_answer(self) -> str:
        answer = str(self.cleaned_data["answer"])
        if answer:
            try:
                check_answer(answer)
            except CommonAnswer:
                raise ValidationError(
                    gettext("La respuesta es muy corta o muy común. Escriba otra, de 3 letras o más."),
                    code="common_answer",
                ) from None
        return answer


class ContactMixin(ClaveForm):
    """Domicilio and Datos de Contacto of the guides' forms."""

    street = TextField(
        label=_("Dirección particular"),
        help_text=_("Pasaje o calle. Ejemplo: Pasaje Los Aromos"),
        max_length=120,
        autocomplete="address-line1",
    )
    street_number = TextField(label=_("N° de dirección particular"), max_length=20, width="w-corto")
    block = TextField(label=_("Block"), max_length=20, required=False, width="w-corto")
    apartment = TextField(label=_("N° de departamento"), max_length=20, required=False, width="w-corto")
    region = forms.ChoiceField(
        label=_("Región"),
        choices=[CHOOSE, *region_choices()],
        error_messages={"invalid_choice": _("Elija una región de la lista.")},
    )
    comuna = forms.ChoiceField(
        label=_("Comuna"),
        choices=[CHOOSE, *comuna_choices()],
        help_text=_("Están ordenadas por región."),
        error_messages={"invalid_choice": _("Elija una comuna de la lista.")},
    )
    email = EmailField(label=_("Correo electrónico"), help_text=_("Revíselo bien: ahí le llegan los avisos."))
    home_phone = forms.RegexField(
        LANDLINE,
        label=_("Teléfono particular"),
        required=False,
        max_length=15,
        strip=True,
        error_messages={"invalid": _("Escriba solo números."), "max_length": _("Escriba como máximo 15 números.")},
    )
    work_phone = forms.RegexField(
        LANDLINE,
        label=_("Teléfono trabajo"),
        required=False,
        max_length=15,
        strip=True,
        error_messages={"invalid": _("Escriba solo números."), "max_length": _("Escriba como máximo 15 números.")},
    )
    mobile = forms.CharField(
        label=_("Celular"), required=False, max_length=20, help_text=_("+56 9 y sus 8 números. Ejemplo: 8765 4321")
    )
    no_mobile = forms.BooleanField(label=_("Sin celular"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, autocomplete in (("home_phone", "tel"), ("work_phone", "off"), ("mobile", "tel-national")):
            self.fields[name].widget.attrs |= {
                "type": "tel",
                "inputmode": "tel",
                "autocomplete": autocomplete,
                "class": "w-corto",
            }
            self.fields[name].widget.attrs.pop("maxlength", None)
        self.fields["region"].widget.attrs["data-region"] = ""
        self.fields["comuna"].widget.attrs["data-comuna"] = ""

    def clean_mobile(self) -> str:
        digits = "".join(char for char in self.cleaned_data["mobile"] if char not in " -.()+")
        for prefix in ("569", "9"):
            if digits.startswith(prefix) and len(digits) == 8 + len(prefix):
                digits = digits.removeprefix(prefix)
        if not digits:
            return ""
        if not (digits.isascii() and digits.isdigit() and len(digits) == 8) or digits[0] in "01":
            raise ValidationError(
                gettext("Escriba los 8 números de su celular chileno, después de +56 9."), code="mobile"
            )
        return f"+569{digits}"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        place = comunas().get(data.get("comuna", ""))
        if place and data.get("region") and place.region != data["region"]:
            self.add_error(
                "comuna", ValidationError(gettext("Esta comuna no es de la región elegida."), code="comuna_region")
            )
        if "mobile" in data and not data["mobile"] and not data.get("no_mobile"):
            self.add_error(
                "mobile", ValidationError(gettext("Escriba su celular o marque «Sin celular»."), code="mobile_needed")
            )
        if data.get("no_mobile"):
            data["mobile"] = ""
        return data


class NewKeyMixin(ClaveForm):
    """Clave CS and Repetir Clave CS."""

    new_key = SecretField(label=_("Clave SENCE nueva"), autocomplete="new-password")
    new_key_again = SecretField(label=_("Repita la Clave SENCE nueva"), autocomplete="new-password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_key"].widget.attrs["data-reglas"] = ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        first, again = data.get("new_key"), data.get("new_key_again")
        if first and again and first != again:
            self.add_error(
                "new_key_again", ValidationError(gettext("Las dos claves no son iguales."), code="keys_differ")
            )
        return data

    def refuse_key(self, violation: PolicyViolation) -> None:
        """Put every reason beside the new key."""
        for reason in violation.reasons:
            self.refuse(reason, str(REASONS[reason]), "new_key")


def apply_contact(holder: Holder, data: dict[str, Any]) -> None:
    """Copy address and contact of a clean form to the holder, without saving."""
    for name in (
        "street",
        "street_number",
        "block",
        "apartment",
        "comuna",
        "email",
        "home_phone",
        "work_phone",
        "mobile",
        "no_mobile",
    ):
        setattr(holder, name, data[name])
    holder.updated_at = clock.now()


CONTACT_GROUPS = [
    (_("Domicilio"), ["street", "street_number", "block", "apartment", "region", "comuna"]),
    (_("Datos de contacto"), ["email", "home_phone", "work_phone", "mobile", "no_mobile"]),
]
