"""Form fields that accept what people actually type, and the base form."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, ClassVar, Required, Self, TypedDict, Unpack

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.lib import clock
from clave.lib.outcome import Refused
from clave.lib.rut import InvalidNie, InvalidRut, Nie, Rut
from clave.lib.text import Text, unexpected_characters
from clave.web.captcha import service as captcha
from clave.web.captcha import tickets

# The type of `Form.cleaned_data`: each field cleans to its own type.
CleanedData = Mapping[str, Any]
# What was typed into a form, and the values it starts with.
Typed = Mapping[str, object] | None
Initial = dict[str, object] | None


class FormArguments(TypedDict, total=False):
    """What every form is made with."""

    data: Typed
    initial: Initial
    request: Required[HttpRequest]


class FieldArguments(TypedDict, total=False):
    """What a page says of a field."""

    label: Text
    help_text: Text
    required: bool


format_lazy = lazy(lambda template, **values: str(template).format(**values), str)


class _CheaplyCopiedField(forms.CharField):
    """A field that is cheap to copy for each form: only messages, validators and widget attributes are duplicated."""

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        copy, widget = object.__new__(type(self)), object.__new__(type(self.widget))
        copy.__dict__.update(self.__dict__)
        widget.__dict__.update(self.widget.__dict__)
        widget.attrs = self.widget.attrs.copy()
        copy.widget, copy.error_messages = widget, self.error_messages.copy()
        copy.validators = self.validators[:]
        return copy


class TextField(_CheaplyCopiedField):
    """A line of text in Latin letters: no control characters, emoji or other scripts."""

    default_error_messages: ClassVar[dict[str, Text]] = {
        "characters": _("Use solo letras, números y signos comunes. Quite: %(found)s"),
        "max_length": _("Escriba como máximo %(limit_value)d caracteres (ahora hay %(show_value)d)."),
        "min_length": _("Escriba al menos %(limit_value)d caracteres (ahora hay %(show_value)d)."),
    }

    def __init__(
        self, *, max_length: int = 100, autocomplete: str = "off", width: str = "", **arguments: Unpack[FieldArguments]
    ) -> None:
        super().__init__(max_length=max_length, **arguments)
        # No maxlength attribute: browsers silently truncate pasted text.
        self.widget.attrs.pop("maxlength", None)
        self.widget.attrs |= {"autocomplete": autocomplete, "spellcheck": "false"}
        if width:
            self.widget.attrs["class"] = width

    def validate(self, value: str) -> None:
        super().validate(value)
        unexpected = unexpected_characters(value)
        if unexpected:
            shown = " ".join(sorted(char if char.isprintable() else f"U+{ord(char):04X}" for char in unexpected)[:5])
            raise ValidationError(self.error_messages["characters"], code="characters", params={"found": shown})


class RutField(TextField):
    """A RUT, with or without punctuation; cleans to `Rut`."""

    default_error_messages: ClassVar[dict[str, Text]] = {
        "rut_shape": _("Escriba su RUT con dígito verificador, por ejemplo 12.345.678-5."),
        "rut_digit": _("El RUT no es válido: revise el número y el dígito verificador."),
    }

    def __init__(self, **arguments: Unpack[FieldArguments]) -> None:
        arguments.setdefault("label", _("RUT"))
        arguments.setdefault("help_text", _("Con o sin puntos y guion. Ejemplo: 12.345.678-5"))
        super().__init__(max_length=20, autocomplete="username", width="w-corto", **arguments)
        self.widget.attrs |= {"data-rut": "", "autocapitalize": "off", "inputmode": "text"}

    def clean(self, value: object) -> object:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Rut.parse(text)
        except InvalidRut as error:
            raise ValidationError(self.error_messages[error.code], code=error.code) from None


class NieField(TextField):
    """A NIE (Número de Identidad Extranjero); cleans to `Nie`."""

    default_error_messages: ClassVar[dict[str, Text]] = {
        "nie": _("El NIE son solo números, de %(least)d a %(most)d. Revíselo."),
    }

    def __init__(self, **arguments: Unpack[FieldArguments]) -> None:
        arguments.setdefault("label", _("NIE (Número de Identidad Extranjero)"))
        arguments.setdefault("help_text", _("Solo números. Ejemplo: 123456789"))
        super().__init__(max_length=20, autocomplete="username", width="w-corto", **arguments)
        self.widget.attrs |= {"autocapitalize": "off", "inputmode": "numeric"}

    def clean(self, value: object) -> object:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Nie.parse(text)
        except InvalidNie:
            least, most = settings.NIE_DIGITS
            message = self.error_messages["nie"]
            raise ValidationError(message, code="nie", params={"least": least, "most": most}) from None


class EmailField(forms.EmailField):
    """An e-mail address; the domain is lower-cased and the length limited."""

    default_error_messages: ClassVar[dict[str, Text]] = {
        "invalid": _("El correo no es válido. Escríbalo así: nombre@ejemplo.cl"),
        "max_length": _("El correo es demasiado largo: como máximo %(limit_value)d caracteres."),
    }

    def __init__(self, **arguments: Unpack[FieldArguments]) -> None:
        super().__init__(max_length=120, **arguments)
        self.widget.attrs.pop("maxlength", None)
        self.widget.attrs |= {"autocomplete": "email", "spellcheck": "false", "autocapitalize": "off"}

    def clean(self, value: object) -> str:
        text = super().clean(value)
        if text and not text.isascii():
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        mailbox, _at, domain = (text or "").rpartition("@")
        return f"{mailbox}@{domain.lower()}" if text else ""


class SecretField(_CheaplyCopiedField):
    """A key or a secret answer: never rendered back into the page. Its characters are validated elsewhere."""

    def __init__(
        self, *, autocomplete: str, max_length: int = 128, visible: bool = False, **arguments: Unpack[FieldArguments]
    ) -> None:
        widget = forms.TextInput if visible else forms.PasswordInput
        super().__init__(max_length=max_length, strip=visible, widget=widget, **arguments)
        self.widget.attrs.pop("maxlength", None)
        self.widget.attrs |= {"autocomplete": autocomplete, "spellcheck": "false", "autocapitalize": "off"}
        if not visible:
            self.widget.attrs |= {"data-secreto": "", "class": "w-corto"}


class DateField(forms.DateField):
    """A birth date or the like, typed as dd-mm-aaaa: from 1900 on, not in the future."""

    default_error_messages: ClassVar[dict[str, Text]] = {
        "invalid": _("Escriba la fecha como día-mes-año, por ejemplo 01-12-1992."),
        "future": _("La fecha no puede estar en el futuro."),
        "ancient": _("Revise el año: debe ser 1900 o posterior."),
    }

    def __init__(self, **arguments: Unpack[FieldArguments]) -> None:
        super().__init__(input_formats=["%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y"], **arguments)
        self.widget.attrs |= {"inputmode": "numeric", "autocomplete": "bday", "class": "w-corto", "data-fecha": ""}

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value and value > clock.today():
            raise ValidationError(self.error_messages["future"], code="future")
        if value and value.year < 1900:
            raise ValidationError(self.error_messages["ancient"], code="ancient")


class CaptchaWidget(forms.Widget):
    """The captcha: picture, sound, refresh button and answer box; posts a ticket and the answer."""

    template_name = "web/captcha.html"

    def get_context(self, name: str, value: object, attrs: dict[str, object] | None) -> dict[str, object]:
        off = settings.CLAVE_CAPTCHA == "off"
        return {"ticket": tickets.PLACEHOLDER, "invalid": "aria-invalid" in (attrs or {}), "captcha_off": off}

    def value_from_datadict(self, data: Mapping[str, str], files: object, name: str) -> tuple[str, str]:
        return data.get(f"{name}_ticket", "")[:120], data.get(name, "")[:20]


class CaptchaField(forms.Field):
    """The letters from the picture or sound. `ClaveForm` checks them last."""

    widget = CaptchaWidget

    def __init__(self) -> None:
        super().__init__(required=False, label=_("Letras de la imagen"))


class ClaveForm(forms.Form):
    """The base of all forms: required messages that name the field, field groups, captcha.

    `groups` lists (title, field names) in page order. The captcha is checked before anything that could reveal whether
    an account exists, and only if the rest of the form is valid, so that a typing error does not cost a new picture.
    """

    groups: list[tuple[Text, list[str]]] = []
    # Fields shown with an asterisk although not required by themselves: they or an alternative must be filled in.
    starred: tuple[str, ...] = ()
    required_css_class = "obligatorio"
    use_required_attribute = False
    # Whether the form takes files.
    has_files = False
    _errors: ErrorDict | None

    def __init__(self, *, request: HttpRequest, data: Typed = None, initial: Initial = None) -> None:
        files = request.FILES or None if self.has_files else None
        super().__init__(data, files, initial=initial)
        self.request = request
        self.label_suffix = ""
        if settings.CLAVE_CAPTCHA != "off":
            self.starred = (*self.starred, "captcha")
        # The error summary follows the order of the page.
        self.order_fields([name for _, names in self.groups for name in names])
        for name, field in self.fields.items():
            field.error_messages["required"] = format_lazy(_("Falta completar: {field}."), field=field.label or name)  # type: ignore[no-untyped-call]
            # Django only offers `required`, which would make browsers show their own messages instead of ours.
            if field.required:
                field.widget.attrs["aria-required"] = "true"
        self.adapt()

    def adapt(self) -> None:
        """Adapt the fields to the settings and to this form; called once, when the form is made."""

    @property
    def errors_so_far(self) -> Mapping[str, object]:
        return self._errors or {}

    def _clean_form(self) -> None:
        super()._clean_form()  # type: ignore[misc]
        if "captcha" in self.fields and not self._errors:
            ticket, answer = self.cleaned_data["captcha"]
            if not captcha.passes(self.request, ticket, answer):
                text = gettext("Las letras no coinciden con la imagen. Escriba las letras de la imagen nueva.")
                self.add_error("captcha", ValidationError(text, code="captcha"))

    def codes(self) -> list[str]:
        """Return the distinct error codes, for the small print."""
        codes = [error.code or "" for errors in self.errors.as_data().values() for error in errors]
        return list(dict.fromkeys(codes))

    def grouped(self) -> Iterator[tuple[Text, list[forms.BoundField]]]:
        """Yield (title, bound fields) for each group, in page order."""
        for title, names in self.groups or [("", list(self.fields))]:
            fields = [self[name] for name in names if name in self.fields and not self[name].is_hidden]
            if fields:
                yield title, fields

    def show_refusal(self, refused: Refused) -> None:
        """Show a use case's refusal beside the field it concerns."""
        self.refuse(refused.code, refused.message, refused.field)

    def refuse(self, code: str, message: str, field: str | None = None) -> None:
        """Show a message beside a field, or for the whole form if it has no such field."""
        self.add_error(field if field in self.fields else None, ValidationError(message, code=code))
