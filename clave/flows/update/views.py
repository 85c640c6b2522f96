"""Actualizar Datos: two ways in, the secret question, then the data."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.core.forms import CaptchaField, ClaveForm, DateField, EmailField, RutField, SecretField
from clave.core.outcome import Outcome, Refused
from clave.core.pages import FormPage, StepPage
from clave.core.visit import Visit
from clave.core.wizard import Wizard
from clave.flows.common import CONTACT_GROUPS, ContactMixin, NewKeyMixin, QuestionMixin, key_rules
from clave.flows.update import service
from clave.holders.comunas import comunas
from clave.holders.models import Holder
from clave.holders.service import MISSING_LABELS, find_person, missing_data
from clave.keys import service as keys
from clave.keys.policy import PolicyViolation
from clave.keys.service import WrongAnswer

TITLE = _("Actualizar mis datos")


class KeyForm(ClaveForm):
    rut = RutField()
    key = SecretField(label=_("Clave SENCE"), autocomplete="current-password")
    captcha = CaptchaField()


class BirthForm(ClaveForm):
    rut = RutField()
    birth_date = DateField(label=_("Fecha de nacimiento"), help_text=_("Formato: 01-12-1992"))
    email = EmailField(label=_("Correo registrado"), help_text=_("El correo que dio al registrarse."))
    captcha = CaptchaField()


class Start(FormPage):
    form_class: ClassVar[type[ClaveForm]] = KeyForm
    template_name = "flows/update_start.html"
    title = TITLE
    intro = _("Tenga a mano su RUT, su clave y la respuesta a su pregunta secreta. Toma unos 5 minutos.")
    button = _("Validar")
    step = (1, 3)

    def prove(self, form: Any, visit: Visit) -> Holder:
        rut = form.cleaned_data["rut"]
        proof = keys.verify(str(rut), find_person(rut), form.cleaned_data["key"], visit)
        if proof.temporary:
            raise Refused(
                "temporary_key",
                gettext("Esta clave es temporal: solo sirve para crear una clave nueva en «Cambiar CS»."),
                field="key",
            )
        return proof.holder

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        holder = self.prove(form, visit)
        # Without a question on file there is none to answer; the form then asks for one.
        first = "question" if settings.SECRET_QUESTIONS and hasattr(holder, "secret_answer") else "edit"
        wizard = Wizard.begin(self.request, "update", first, holder=str(holder.pk))
        return HttpResponseRedirect(reverse(f"update_{first}", args=[wizard.run]))


class StartByBirth(Start):
    form_class = BirthForm
    template_name = "flows/update_start_birth.html"
    intro = _("Tenga a mano su RUT, su correo registrado y la respuesta a su pregunta secreta. Toma unos 5 minutos.")

    def prove(self, form: Any, visit: Visit) -> Holder:
        data = form.cleaned_data
        refusal = gettext("El RUT, la fecha de nacimiento y el correo no coinciden con una cuenta. Revise los tres.")
        holder = service.prove_by_birth(data["rut"], data["birth_date"], data["email"], visit, refusal)
        if settings.SECRET_QUESTIONS and hasattr(holder, "secret_answer"):
            return holder
        # A birth date and an e-mail are known to many: without an answer they open nothing.
        raise Refused("no_question", gettext("Su cuenta no tiene pregunta secreta. Entre con su RUT y su Clave SENCE."))


class UpdateStep(StepPage):
    flow = "update"
    title = TITLE
    back = "/persona/actualizar"

    @property
    def holder(self) -> Holder:
        return Holder.objects.select_related("credential", "secret_answer").get(pk=self.wizard.data["holder"])


class QuestionForm(QuestionMixin):
    groups = [(_("Datos de seguridad"), ["question", "answer"])]

    def clean_answer(self) -> str:
        return str(self.cleaned_data["answer"])


class Question(UpdateStep):
    form_class = QuestionForm
    name = "question"
    intro = _("Por su seguridad, elija la pregunta secreta que dejó al registrarse y respóndala.")
    button = _("Continuar")
    step = (2, 3)

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        holder = self.holder
        # The wrong question is a wrong answer: it is tried, and counted, all the same.
        right = form.cleaned_data["question"] == holder.secret_answer.question
        answer = form.cleaned_data["answer"] if right else "\0"
        try:
            keys.verify_answer(holder.identifier, holder, answer, visit)
        except WrongAnswer as refused:
            refused.message = gettext("La pregunta o la respuesta no son las que usted dejó. Revíselas.")
            raise
        return self.go("edit")


class EditForm(NewKeyMixin, ContactMixin, QuestionMixin):
    key = SecretField(label=_("Clave SENCE actual"), autocomplete="current-password", required=False)
    groups = [
        *CONTACT_GROUPS,
        (_("Pregunta secreta (si quiere cambiarla)"), ["question", "answer"]),
        (_("Clave SENCE (si quiere cambiarla)"), ["key", "new_key", "new_key_again"]),
    ]

    def __init__(self, *args: Any, question_needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("Correo actual")
        for name in ("new_key", "new_key_again"):
            self.fields[name].required = False
        for name in ("question", "answer"):
            if name in self.fields:
                self.fields[name].required = question_needed
        if question_needed:
            title, names = _("Pregunta secreta"), ["question", "answer"]
            self.groups = [*CONTACT_GROUPS, (title, names), self.groups[-1]]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        needed = gettext("Falta completar: {field}.")
        if data.get("new_key") or data.get("new_key_again"):
            for name in ("key", "new_key", "new_key_again"):
                if not data.get(name) and name not in self.errors_so_far:
                    self.add_error(name, ValidationError(needed.format(field=self.fields[name].label), code="required"))
        if bool(data.get("question")) != bool(data.get("answer")):
            name = "answer" if data.get("question") else "question"
            if name in self.fields and name not in self.errors_so_far:
                self.add_error(name, ValidationError(needed.format(field=self.fields[name].label), code="required"))
        return data


class Edit(UpdateStep):
    form_class = EditForm
    template_name = "flows/edit.html"
    name = "edit"
    intro = _("Revise sus datos y corrija lo que cambió.")
    button = _("Actualizar Datos")
    step = (3, 3)
    changes = True

    def make_form(self, data: Any = None, initial: Any = None) -> ClaveForm:
        holder = self.holder
        fields = (
            "street",
            "street_number",
            "block",
            "apartment",
            "comuna",
            "email",
            "home_phone",
            "work_phone",
            "no_mobile",
        )
        on_file: dict[str, Any] = {name: getattr(holder, name) for name in fields}
        place = comunas().get(holder.comuna)
        on_file["region"] = place.region if place else ""
        on_file["mobile"] = holder.mobile.removeprefix("+569")
        needed = settings.SECRET_QUESTIONS and not hasattr(holder, "secret_answer")
        return EditForm(data, initial=initial or on_file, request=self.request, question_needed=needed)

    def context(self) -> dict[str, Any]:
        holder = self.holder
        missing = [MISSING_LABELS[name] for name in missing_data(holder)]
        return {"rules": key_rules(), "holder": holder, "missing": missing}

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        try:
            outcome = service.update(self.holder, form.cleaned_data, visit)
        except PolicyViolation as violation:
            form.refuse_key(violation)
            return self.page(form, status=400)
        except keys.WrongKey as refused:
            form.refuse(refused.code, gettext("La Clave SENCE actual no es correcta."), "key")
            return self.page(form, status=400)
        self.wizard.end()
        return outcome
