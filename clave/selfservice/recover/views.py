"""Recuperar CS: the identifier, then the secret answer or another proof available to the profile.

For a company there are three cases (guide PJ, section 3): without a question on file the next step is the
representative; so it is if the answer is forgotten; a correct answer is sufficient.
"""

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.credentials.secret_questions import QUESTIONS
from clave.holders.models import Holder, Profile
from clave.holders.profiles import COMPANY, FACILITATOR, MIGRANT, PERSON, ProfileForm
from clave.holders.service import ClaimedIdentity, holder_from_proof, proof_data
from clave.lib.masking import masked_email
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.selfservice.common import ProfilePage, ProfileStep
from clave.selfservice.recover import service
from clave.web.form_pages import FormT
from clave.web.forms import CaptchaField, ClaveForm, DateField, EmailField, RutField, SecretField, TextField
from clave.web.wizard import Wizard

TITLE = _("Recuperar mi Clave SENCE")
# The legacy page's own title (FAQ of the LCE, question 16).
NEW_COMPANY_KEY = _("Generar nueva CUS de Persona Jurídica")


class StartForm(ProfileForm):
    """The identifier only."""


# The step for each profile if the answer is forgotten or there is none.
OTHERWISE: dict[str, str] = {
    Profile.PERSONA_NATURAL: "card",
    Profile.PERSONA_JURIDICA: "representative",
    Profile.MIGRANTE: "birth",
    Profile.FACILITADOR: "birth",
}
NEEDS = {
    PERSON.profile: _("Tenga a mano su RUT y la respuesta a su pregunta secreta, o su cédula de identidad."),
    COMPANY.profile: _(
        "Tenga a mano el RUT de la empresa y la respuesta a su pregunta secreta, o la cédula de identidad de un "
        "representante legal."
    ),
    MIGRANT.profile: _("Tenga a mano su NIE y la respuesta a su pregunta secreta, o el correo que registró."),
    FACILITATOR.profile: _(
        "Tenga a mano su documento de identidad y la respuesta a su pregunta secreta, o el correo que registró."
    ),
}


class Start(ProfilePage[StartForm]):
    cached_blank = True
    form_class = StartForm
    template_name = "selfservice/recover_start.html"
    title = TITLE
    button = _("Validar")
    step = (1, 2)

    def context(self) -> dict[str, object]:
        duration = gettext("Toma unos 3 minutos.")
        return {"intro": f"{NEEDS[self.config.profile]} {duration}"}

    def perform(self, form: StartForm, context: RequestContext) -> HttpResponse:
        claim = form.claim
        question = service.question_for(claim) if settings.SECRET_QUESTIONS else ""
        first = "answer" if question else OTHERWISE[claim.profile]
        wizard = Wizard.begin(self.request, self.config.page("recover"), first, who=claim.identifier, question=question)
        return HttpResponseRedirect(self.config.url(f"recover_{first}", wizard.run))


class RecoverStep(ProfileStep[FormT]):
    flow = "recover"
    title = TITLE
    template_name = "selfservice/proof.html"

    @property
    def claim(self) -> ClaimedIdentity:
        return self.config.claim(self.wizard.data["who"])

    def context(self) -> dict[str, object]:
        offer = self.wizard.may("notify") and self.name != "notify"
        return {"notify": self.config.url("recover_notify", self.wizard.run) if offer else ""}

    def refused(self, form: FormT, refused: Refused) -> HttpResponse:
        """Show the refusal; if a registry is down, offer to notify the person when it is back."""
        if isinstance(refused, service.RegistryAway):
            self.wizard.allow("notify", registry=refused.registry)
        return super().refused(form, refused)


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

    def clean(self) -> dict[str, object]:
        if not self.cleaned_data.get("answer") and not self.cleaned_data.get("forgotten"):
            self.add_error("answer", ValidationError(gettext("Falta completar: Respuesta secreta."), code="required"))
        return self.cleaned_data


class Answer(RecoverStep[AnswerForm]):
    form_class = AnswerForm
    template_name = "selfservice/question.html"
    name = "answer"
    button = _("Recuperar Clave")
    step = (2, 2)
    changes = True

    def context(self) -> dict[str, object]:
        return {"who": self.claim.display_name, "question": QUESTIONS[self.wizard.data["question"]]}

    def check(self, form: AnswerForm, context: RequestContext) -> Holder | HttpResponse:
        if form.cleaned_data["forgotten"]:
            return self.go(OTHERWISE[self.config.profile])
        return service.check_answer(self.claim, form.cleaned_data["answer"], context)

    def complete(self, form: AnswerForm, checked: Holder, context: RequestContext) -> Outcome:
        return service.by_answer(checked, context)


class RepresentativeForm(ClaveForm):
    representative = RutField(label=_("RUT del representante legal"))


class RepresentativeStep(RecoverStep[RepresentativeForm]):
    """The step that names a representative of the company, to be confirmed by the SII."""

    form_class = RepresentativeForm
    name = "representative"
    intro = _("Escriba el RUT de un representante legal de la empresa. El SII lo confirma.")
    button = _("Validar")
    step = (2, 4)

    def perform(self, form: RepresentativeForm, context: RequestContext) -> HttpResponse:
        person: Rut = form.cleaned_data["representative"]
        service.check_representative(self.claim, person, context)
        return self.go("card", representative=str(person))


class BirthForm(ClaveForm):
    birth_date = DateField(label=_("Fecha de nacimiento"), help_text=_("Formato: 01-12-1992"))
    email = EmailField(label=_("Correo registrado"), help_text=_("El correo que dio al registrarse."))


class Birth(RecoverStep[BirthForm]):
    """The step for those without a Chilean card: birth date and registered e-mail, to which the key is sent."""

    form_class = BirthForm
    name = "birth"
    intro = _("Escriba su fecha de nacimiento y el correo que registró. La clave se envía a ese correo.")
    button = _("Recuperar Clave")
    step = (2, 2)
    changes = True

    def check(self, form: BirthForm, context: RequestContext) -> Holder:
        data = form.cleaned_data
        return service.check_birth(self.claim, data["birth_date"], data["email"], context)

    def complete(self, form: BirthForm, checked: Holder, context: RequestContext) -> Outcome:
        return service.by_birth(checked, context)


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


class Card(RecoverStep[CardForm]):
    form_class = CardForm
    name = "card"
    button = _("Validar")

    @property
    def step(self) -> tuple[int, int]:  # type: ignore[override]
        return (3, 4) if self.config is COMPANY else (2, 3)

    def context(self) -> dict[str, object]:
        whose = (
            gettext("Busque el número de serie en la cédula de identidad del representante legal.")
            if self.config is COMPANY
            else gettext("Busque el número de serie en su cédula de identidad.")
        )
        return {**super().context(), "intro": f"{whose} {gettext('El Registro Civil lo confirma.')}"}

    def perform(self, form: CardForm, context: RequestContext) -> HttpResponse:
        run = Rut.parse(self.wizard.data.get("representative") or self.claim.identifier)
        holder = service.check_card(self.claim, run, form.cleaned_data["serial"], context)
        return self.go("contact", **proof_data(holder))


class ContactForm(ClaveForm):
    right = forms.ChoiceField(
        label=_("¿El correo es correcto?"),
        choices=[("si", _("Sí")), ("no", _("No"))],
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Elija Sí o No.")},
    )
    email = EmailField(label=_("Correo actual"), required=False, help_text=_("Solo si respondió No."))
    captcha = CaptchaField()

    def adapt(self) -> None:
        super().adapt()
        if not settings.NEW_EMAIL_AFTER_SERIAL:
            del self.fields["email"]

    def clean(self) -> dict[str, object]:
        required = self.cleaned_data.get("right") == "no" and "email" in self.fields
        if required and not self.cleaned_data.get("email") and "email" not in self.errors_so_far:
            self.add_error("email", ValidationError(gettext("Falta completar: Correo actual."), code="required"))
        return self.cleaned_data


class Contact(RecoverStep[ContactForm]):
    form_class = ContactForm
    template_name = "selfservice/contact.html"
    name = "contact"
    button = _("Recuperar Clave")
    changes = True

    @property
    def step(self) -> tuple[int, int]:  # type: ignore[override]
        return (4, 4) if self.config is COMPANY else (3, 3)

    holder: Holder

    def prepare(self) -> None:
        self.holder = holder_from_proof(self.wizard.data)

    def context(self) -> dict[str, object]:
        email = self.holder.email
        return {"masked": masked_email(email) if email else ""}

    def complete(self, form: ContactForm, checked: None, context: RequestContext) -> Outcome:
        wrong = form.cleaned_data["right"] == "no"
        if wrong and not settings.NEW_EMAIL_AFTER_SERIAL:
            raise Refused("new_email_off", gettext("Para cambiar el correo llame a la mesa de ayuda."), field="right")
        new_email = form.cleaned_data.get("email", "") if wrong else ""
        return service.by_card(self.holder, new_email, context, str(self.wizard.data.get("representative", "")))


class NotifyForm(ClaveForm):
    email = EmailField(label=_("Correo electrónico"), help_text=_("Le escribiremos una sola vez."))
    captcha = CaptchaField()


class Notify(RecoverStep[NotifyForm]):
    """The step offered when a registry is down: leave an e-mail address to be notified when it is back."""

    form_class = NotifyForm
    name = "notify"
    intro = _("Díganos a qué correo escribirle cuando el registro responda otra vez.")
    button = _("Avísenme")
    changes = True

    def complete(self, form: NotifyForm, checked: None, context: RequestContext) -> Outcome:
        return service.tell_when_back(self.wizard.data["registry"], form.cleaned_data["email"], context)
