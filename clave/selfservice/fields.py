"""Form fields from the guides shared by several flows."""

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.credentials.policy import REASONS, PolicyViolation
from clave.credentials.secret_questions import QUESTIONS, CommonAnswer, check_answer
from clave.holders.comunas import comuna_choices, comunas, region_choices
from clave.holders.countries import country_choices
from clave.holders.profiles import CHOOSE
from clave.lib.outcome import Refused
from clave.lib.text import Text
from clave.web.forms import ClaveForm, DateField, EmailField, RutField, SecretField, TextField
from clave.web.widgets import LongSelect

LANDLINE = r"^[0-9+ ()-]*$"
SEXES = [("F", _("Mujer")), ("M", _("Hombre")), ("X", _("No binario"))]


class QuestionMixin(ClaveForm):
    """Pregunta Secreta and Respuesta Secreta, if the settings enable them."""

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

    def adapt(self) -> None:
        super().adapt()
        if not settings.SECRET_QUESTIONS:
            del self.fields["question"], self.fields["answer"]

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


def chilean_mobile(text: str) -> str:
    """Return a Chilean mobile number as `+569` and eight digits; empty if none was typed. Raises `ValidationError`."""
    digits = "".join(char for char in text if char not in " -.()+")
    for prefix in ("569", "9"):
        if digits.startswith(prefix) and len(digits) == 8 + len(prefix):
            digits = digits.removeprefix(prefix)
    if not digits:
        return ""
    if not (digits.isascii() and digits.isdigit() and len(digits) == 8) or digits[0] in "01":
        raise ValidationError(gettext("Escriba los 8 números de su celular chileno, después de +56 9."), code="mobile")
    return f"+569{digits}"


def landline(label: Text, *, required: bool = False) -> forms.RegexField:
    """Return a field for a telephone number that may be a landline."""
    return forms.RegexField(
        LANDLINE,
        label=label,
        required=required,
        max_length=15,
        strip=True,
        error_messages={"invalid": _("Escriba solo números."), "max_length": _("Escriba como máximo 15 números.")},
    )


class AddressMixin(ClaveForm):
    """Domicilio as in the guides' forms."""

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
        widget=LongSelect,
        help_text=_("Están ordenadas por región."),
        error_messages={"invalid_choice": _("Elija una comuna de la lista.")},
    )
    telephones: tuple[tuple[str, str], ...] = ()

    def adapt(self) -> None:
        super().adapt()
        for name, autocomplete in self.telephones:
            self.fields[name].widget.attrs |= {
                "type": "tel",
                "inputmode": "tel",
                "autocomplete": autocomplete,
                "class": "w-corto",
            }
            self.fields[name].widget.attrs.pop("maxlength", None)
        self.fields["region"].widget.attrs["data-region"] = ""
        self.fields["comuna"].widget.attrs["data-comuna"] = ""

    def clean(self) -> dict[str, object]:
        data = super().clean() or self.cleaned_data
        comuna = comunas().get(data.get("comuna", ""))
        if comuna and data.get("region") and comuna.region != data["region"]:
            self.add_error(
                "comuna", ValidationError(gettext("Esta comuna no es de la región elegida."), code="comuna_region")
            )
        return data


class ContactMixin(AddressMixin):
    """Domicilio and Datos de Contacto of a person's forms."""

    email = EmailField(label=_("Correo electrónico"), help_text=_("Revíselo bien: ahí le llegan los avisos."))
    home_phone = landline(_("Teléfono particular"))
    work_phone = landline(_("Teléfono trabajo"))
    mobile = forms.CharField(
        label=_("Celular"), required=False, max_length=20, help_text=_("+56 9 y sus 8 números. Ejemplo: 8765 4321")
    )
    no_mobile = forms.BooleanField(label=_("Sin celular"), required=False)
    telephones = (("home_phone", "tel"), ("work_phone", "off"), ("mobile", "tel-national"))

    def clean_mobile(self) -> str:
        return chilean_mobile(self.cleaned_data["mobile"])

    def clean(self) -> dict[str, object]:
        data = super().clean()
        if "mobile" in data and not data["mobile"] and not data.get("no_mobile"):
            self.add_error(
                "mobile", ValidationError(gettext("Escriba su celular o marque «Sin celular»."), code="mobile_needed")
            )
        if data.get("no_mobile"):
            data["mobile"] = ""
        return data


class CompanyContactMixin(AddressMixin):
    """Dirección de Empresa and Datos de Contacto of the company's forms (guide PJ, section 2)."""

    street = TextField(label=_("Dirección"), help_text=_("Pasaje o calle. Ejemplo: Pasaje Los Aromos"), max_length=120)
    street_number = TextField(label=_("N° de dirección o N° de oficina"), max_length=20, width="w-corto")
    email = EmailField(label=_("Correo de contacto"), help_text=_("Revíselo bien: ahí llegan los avisos y las claves."))
    work_phone = landline(_("Teléfono"), required=True)
    telephones = (("work_phone", "tel"),)


class RepresentativeMixin(ClaveForm):
    """Representante Legal of the company's forms (guide PJ, section 2)."""

    representative = RutField(label=_("RUT del representante legal"))
    representative_name = TextField(label=_("Nombre del representante legal"), max_length=120)
    representative_mobile = forms.CharField(
        label=_("Celular del representante legal"),
        max_length=20,
        help_text=_("+56 9 y sus 8 números. Ejemplo: 8765 4321"),
    )
    representative_email = EmailField(label=_("Correo del representante legal"))

    def adapt(self) -> None:
        super().adapt()
        self.fields["representative"].widget.attrs["autocomplete"] = "off"
        self.fields["representative_mobile"].widget.attrs |= {"type": "tel", "inputmode": "tel", "class": "w-corto"}
        self.fields["representative_mobile"].widget.attrs.pop("maxlength", None)

    def clean_representative_mobile(self) -> str:
        return chilean_mobile(self.cleaned_data["representative_mobile"])


class IdentityMixin(ClaveForm):
    """The identity data of a person in no registry, self-declared (mission.md, sections 5 and 6)."""

    names = TextField(label=_("Nombres"), max_length=60, autocomplete="given-name")
    paternal = TextField(label=_("Apellido paterno"), max_length=58, autocomplete="family-name")
    maternal = TextField(label=_("Apellido materno"), max_length=58, required=False)
    sex = forms.ChoiceField(
        label=_("Sexo"),
        choices=[CHOOSE, *SEXES],
        error_messages={"invalid_choice": _("Elija una opción de la lista.")},
    )
    birth_date = DateField(label=_("Fecha de nacimiento"), help_text=_("Formato: 01-12-1992"))
    country = forms.ChoiceField(
        label=_("País de origen"),
        choices=lambda: [CHOOSE, *country_choices()],
        widget=LongSelect,
        error_messages={"invalid_choice": _("Elija un país de la lista.")},
    )


class NewKeyMixin(ClaveForm):
    """Clave CS and Repetir Clave CS."""

    new_key = SecretField(label=_("Clave SENCE nueva"), autocomplete="new-password")
    new_key_again = SecretField(label=_("Repita la Clave SENCE nueva"), autocomplete="new-password")

    def adapt(self) -> None:
        super().adapt()
        self.fields["new_key"].widget.attrs["data-reglas"] = ""

    def clean(self) -> dict[str, object]:
        data = super().clean() or self.cleaned_data
        first, again = data.get("new_key"), data.get("new_key_again")
        if first and again and first != again:
            self.add_error(
                "new_key_again", ValidationError(gettext("Las dos claves no son iguales."), code="keys_differ")
            )
        return data

    def show_refusal(self, refused: Refused) -> None:
        """Show the refusal; list all the reasons why a key is refused beside the new key."""
        if isinstance(refused, PolicyViolation):
            for reason in refused.reasons:
                self.refuse(reason, str(REASONS[reason]), refused.field)
        else:
            super().show_refusal(refused)


ADDRESS = ["street", "street_number", "block", "apartment", "region", "comuna"]
CONTACT_GROUPS: list[tuple[Text, list[str]]] = [
    (_("Domicilio"), ADDRESS),
    (_("Datos de contacto"), ["email", "home_phone", "work_phone", "mobile", "no_mobile"]),
]
COMPANY_CONTACT_GROUPS: list[tuple[Text, list[str]]] = [
    (_("Dirección de la empresa"), ["region", "comuna", *ADDRESS[:4]]),
    (_("Datos de contacto"), ["email", "work_phone"]),
]
REPRESENTATIVE_GROUP = (
    _("Representante legal"),
    ["representative", "representative_name", "representative_mobile", "representative_email"],
)
IDENTITY = ["names", "paternal", "maternal", "sex", "birth_date", "country"]
