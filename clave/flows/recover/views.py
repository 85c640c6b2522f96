"""Recuperar CS: RUT, then the secret answer, or the card's serial and the e-mail."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.core.forms import CaptchaField, ClaveForm, EmailField, RutField, SecretField, TextField
from clave.core.masking import masked_email
from clave.core.outcome import Outcome
from clave.core.pages import FormPage, StepPage
from clave.core.rut import Rut
from clave.core.visit import Visit
from clave.core.wizard import Wizard
from clave.flows.recover import service
from clave.holders.models import Holder
from clave.keys.questions import QUESTIONS

TITLE = _("Recuperar mi Clave SENCE")


class StartForm(ClaveForm):
    rut = RutField()
    captcha = CaptchaField()


class Start(FormPage):
    form_class = StartForm
    title = TITLE
    intro = _(
        "Tenga a mano su RUT y la respuesta a su pregunta secreta, o su cédula de identidad. Toma unos 3 minutos."
    )
    button = _("Validar")
    step = (1, 2)

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        rut: Rut = form.cleaned_data["rut"]
        first = "answer" if settings.SECRET_QUESTIONS else "card"
        wizard = Wizard.begin(self.request, "recover", first, rut=str(rut), question=service.question_for(rut))
        return HttpResponseRedirect(reverse(f"recover_{first}", args=[wizard.run]))


class RecoverStep(StepPage):
    flow = "recover"
    title = TITLE

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("recover")

    @property
    def rut(self) -> Rut:
        return Rut.parse(self.wizard.data["rut"])


class AnswerForm(ClaveForm):
    starred = ("answer",)
    answer = SecretField(
        label=_("Respuesta secreta"),
        autocomplete="off",
        max_length=80,
        visible=True,
        required=False,
        help_text=_("No importan las tildes ni las mayúsculas."),
    )
    forgotten = forms.BooleanField(label=_("No recuerdo la respuesta a mi pregunta secreta"), required=False)

    def clean(self) -> dict[str, Any]:
        if not self.cleaned_data.get("answer") and not self.cleaned_data.get("forgotten"):
            self.add_error("answer", ValidationError(gettext("Falta completar: Respuesta secreta."), code="required"))
        return self.cleaned_data


class Answer(RecoverStep):
    form_class = AnswerForm
    template_name = "flows/question.html"
    name = "answer"
    button = _("Recuperar Clave")
    step = (2, 2)
    changes = True

    def context(self) -> dict[str, Any]:
        return {"rut": self.rut.pretty, "question": QUESTIONS[self.wizard.data["question"]]}

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        if form.cleaned_data["forgotten"]:
            return self.go("card")
        outcome = service.by_answer(self.rut, form.cleaned_data["answer"], visit)
        self.wizard.end()
        return outcome


class CardForm(ClaveForm):
    serial = TextField(
        label=_("Número de serie de la cédula de identidad"),
        max_length=12,
        width="w-corto",
        help_text=_("En las cédulas nuevas se llama «número de documento». Escríbalo sin puntos."),
    )

    def clean_serial(self) -> str:
        serial = str(self.cleaned_data["serial"]).replace(".", "").replace(" ", "").upper()
        if not (serial.isascii() and serial.isalnum() and 6 <= len(serial) <= 12):
            raise ValidationError(gettext("El número de serie tiene de 6 a 12 números o letras."), code="serial")
        return serial


class Card(RecoverStep):
    form_class = CardForm
    name = "card"
    intro = _("Busque el número de serie en su cédula de identidad. El Registro Civil lo confirma.")
    button = _("Validar")
    step = (2, 3)

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        holder = service.check_card(self.rut, form.cleaned_data["serial"], visit)
        return self.go("contact", holder=str(holder.pk))


class ContactForm(ClaveForm):
    right = forms.ChoiceField(
        label=_("¿El correo es correcto?"),
        choices=[("si", _("Sí")), ("no", _("No"))],
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Elija Sí o No.")},
    )
    email = EmailField(label=_("Correo actual"), required=False, help_text=_("Solo si respondió No."))
    captcha = CaptchaField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.NEW_EMAIL_AFTER_SERIAL:
            del self.fields["email"]

    def clean(self) -> dict[str, Any]:
        asked = self.cleaned_data.get("right") == "no" and "email" in self.fields
        if asked and not self.cleaned_data.get("email") and "email" not in self.errors_so_far:
            self.add_error("email", ValidationError(gettext("Falta completar: Correo actual."), code="required"))
        return self.cleaned_data


class Contact(RecoverStep):
    form_class = ContactForm
    template_name = "flows/contact.html"
    name = "contact"
    button = _("Recuperar Clave")
    step = (3, 3)
    changes = True

    @property
    def holder(self) -> Holder:
        return Holder.objects.select_related("secret_answer").get(pk=self.wizard.data["holder"])

    def context(self) -> dict[str, Any]:
        email = self.holder.email
        return {"masked": masked_email(email) if email else ""}

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        wrong = form.cleaned_data["right"] == "no"
        if wrong and not settings.NEW_EMAIL_AFTER_SERIAL:
            form.refuse("new_email_off", gettext("Para cambiar el correo llame a la mesa de ayuda."), "right")
            return self.page(form, status=400)
        outcome = service.by_card(self.holder, form.cleaned_data.get("email", "") if wrong else "", visit)
        self.wizard.end()
        return outcome
