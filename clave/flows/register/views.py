"""Regístrese aquí."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from clave.core.forms import CaptchaField, RutField, TextField
from clave.core.outcome import Outcome
from clave.core.pages import FormPage
from clave.core.visit import Visit
from clave.flows.common import CONTACT_GROUPS, ContactMixin, NewKeyMixin, QuestionMixin, key_rules
from clave.flows.register import service
from clave.keys.policy import PolicyViolation


class RegisterForm(NewKeyMixin, ContactMixin, QuestionMixin):
    rut = RutField()
    serial = TextField(
        label=_("Número de serie de la cédula"),
        max_length=12,
        width="w-corto",
        help_text=_("Está en su cédula, también como «número de documento»."),
    )
    captcha = CaptchaField()
    groups = [
        (_("Información de registro"), ["rut", "serial", "question", "answer"]),
        *CONTACT_GROUPS,
        (_("Clave SENCE"), ["new_key", "new_key_again"]),
        (_("Validación de seguridad anti-Robots"), ["captcha"]),
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rut"].widget.attrs["autocomplete"] = "username"
        if settings.REGISTRATION_PROOF != "id_card":
            del self.fields["serial"]


class Register(FormPage):
    form_class = RegisterForm
    template_name = "flows/register.html"
    title = _("Registrarse como Persona Natural")
    intro = _("Tenga a mano su RUT, su correo electrónico y su celular. Toma unos 5 minutos.")
    button = _("Crear Cuenta")
    changes = True

    def context(self) -> dict[str, Any]:
        return {"rules": key_rules()}

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        try:
            return service.register(form.cleaned_data, visit)
        except PolicyViolation as violation:
            form.refuse_key(violation)
            return self.page(form, status=400)
