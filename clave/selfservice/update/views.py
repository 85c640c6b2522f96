"""Actualizar Datos: prove one's identity (a company signs in), answer the secret question, edit the data."""

from typing import ClassVar, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.credentials import service as credentials
from clave.credentials.service import Proof, WrongAnswer
from clave.holders.comunas import comunas
from clave.holders.models import Holder, Profile
from clave.holders.profiles import COMPANY, ProfileConfig, ProfileForm
from clave.holders.service import MISSING_LABELS, holder_from_proof, missing_data, proof_data
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.text import Text
from clave.selfservice.common import ProfileFormT, ProfilePage, ProfileStep, key_rules
from clave.selfservice.fields import (
    COMPANY_CONTACT_GROUPS,
    CONTACT_GROUPS,
    AddressMixin,
    CompanyContactMixin,
    ContactMixin,
    NewKeyMixin,
    QuestionMixin,
)
from clave.selfservice.proofs import by_birth
from clave.selfservice.update import service
from clave.signin.login_required import for_holder
from clave.web.form_pages import FormT
from clave.web.forms import DateField, EmailField, FormArguments, Initial, SecretField, Typed
from clave.web.wizard import Wizard

TITLE = _("Actualizar mis datos")


class KeyForm(ProfileForm):
    requires_representative = True
    key = SecretField(label=_("Clave SENCE"), autocomplete="current-password")


class BirthForm(ProfileForm):
    birth_date = DateField(label=_("Fecha de nacimiento"), help_text=_("Formato: 01-12-1992"))
    email = EmailField(label=_("Correo registrado"), help_text=_("El correo que dio al registrarse."))


def begin(request: HttpRequest, config: ProfileConfig, holder: Holder) -> HttpResponse:
    """Start the steps for an identified holder: the secret question, if one is on file, then the data."""
    first = "question" if settings.SECRET_QUESTIONS and hasattr(holder, "secret_answer") else "edit"
    wizard = Wizard.begin(request, config.page("update"), first, **proof_data(holder))
    return HttpResponseRedirect(config.url(f"update_{first}", wizard.run))


class UpdateStart(ProfilePage[ProfileFormT]):
    """The first page of an update, which identifies the holder."""

    cached_blank = True
    title = TITLE
    button = _("Validar")
    step = (1, 3)
    need: ClassVar[object]

    def context(self) -> dict[str, object]:
        return {"intro": str(self.need).format(what=self.config.at_hand)}

    def prove(self, form: ProfileFormT, context: RequestContext) -> Holder:
        """Return the holder identified by the form. Raises `Refused`."""
        raise NotImplementedError

    def perform(self, form: ProfileFormT, context: RequestContext) -> HttpResponse:
        return begin(self.request, self.config, self.prove(form, context))


class Start(UpdateStart[KeyForm]):
    form_class = KeyForm
    template_name = "selfservice/update_start.html"
    need = _("Tenga a mano {what}, su clave y la respuesta a su pregunta secreta. Toma unos 5 minutos.")

    def prove(self, form: KeyForm, context: RequestContext) -> Holder:
        proof = credentials.try_key(form.claim, form.cleaned_data["key"], context, "data.proof")
        if proof.temporary:
            raise Refused(
                "temporary_key",
                gettext("Esta clave es temporal: solo sirve para crear una clave nueva en «Cambiar CS»."),
                field="key",
            )
        return proof.holder


class StartByBirth(UpdateStart[BirthForm]):
    form_class = BirthForm
    template_name = "selfservice/update_start_birth.html"
    need = _("Tenga a mano {what}, su correo registrado y la respuesta a su pregunta secreta. Toma unos 5 minutos.")

    def prove(self, form: BirthForm, context: RequestContext) -> Holder:
        data = form.cleaned_data
        holder = by_birth(form.claim, data["birth_date"], data["email"], context)
        if settings.SECRET_QUESTIONS and hasattr(holder, "secret_answer"):
            return holder
        # Birth date and e-mail are known to many people, so they are not sufficient without the secret answer.
        raise Refused("no_question", gettext("Su cuenta no tiene pregunta secreta. Entre con su Clave SENCE."))


@for_holder(Profile.PERSONA_JURIDICA)
def start_for_company(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Start the update for a company that has signed in."""
    return begin(request, COMPANY, holder)


class UpdateStep(ProfileStep[FormT]):
    flow = "update"
    title = TITLE

    holder: Holder

    def prepare(self) -> None:
        self.holder = holder_from_proof(self.wizard.data)


class QuestionForm(QuestionMixin):
    groups = [(_("Datos de seguridad"), ["question", "answer"])]

    def clean_answer(self) -> str:
        return str(self.cleaned_data["answer"])


class Question(UpdateStep[QuestionForm]):
    form_class = QuestionForm
    name = "question"
    intro = _("Por su seguridad, elija la pregunta secreta que dejó al registrarse y respóndala.")
    button = _("Continuar")
    step = (2, 3)

    def perform(self, form: QuestionForm, context: RequestContext) -> HttpResponse:
        holder = self.holder
        # A wrong question counts as a wrong answer, so it is checked like one.
        same_question = form.cleaned_data["question"] == holder.secret_answer.question
        answer = form.cleaned_data["answer"] if same_question else "\0"
        try:
            credentials.verify_answer(holder.account, holder, answer, context, "data.proof")
        except WrongAnswer as refused:
            refused.message = gettext("La pregunta o la respuesta no son las que usted dejó. Revíselas.")
            raise
        return self.go("edit")


class EditForm(NewKeyMixin, QuestionMixin, AddressMixin):
    """Contact and, optionally, a new question and key. `question_needed` if one is required and none is on file."""

    key = SecretField(label=_("Clave SENCE actual"), autocomplete="current-password", required=False)
    contact: ClassVar[list[tuple[Text, list[str]]]]

    def __init__(self, *, question_needed: bool, **arguments: Unpack[FormArguments]) -> None:
        question = _("Pregunta secreta") if question_needed else _("Pregunta secreta (si quiere cambiarla)")
        self.groups = [
            *self.contact,
            (question, ["question", "answer"]),
            (_("Clave SENCE (si quiere cambiarla)"), ["key", "new_key", "new_key_again"]),
        ]
        super().__init__(**arguments)
        for name in ("new_key", "new_key_again"):
            self.fields[name].required = False
        for name in ("question", "answer"):
            if name in self.fields:
                self.fields[name].required = question_needed

    def clean(self) -> dict[str, object]:
        data = super().clean()
        if data.get("new_key") or data.get("new_key_again"):
            self._require("key", "new_key", "new_key_again")
        if data.get("question") or data.get("answer"):
            self._require("question", "answer")
        return data

    def _require(self, *names: str) -> None:
        for name in names:
            if name in self.fields and not self.cleaned_data.get(name) and name not in self.errors_so_far:
                message = gettext("Falta completar: {field}.").format(field=self.fields[name].label)
                self.add_error(name, ValidationError(message, code="required"))


class PersonEditForm(EditForm, ContactMixin):
    email = EmailField(label=_("Correo actual"), help_text=_("Revíselo bien: ahí le llegan los avisos."))
    contact = CONTACT_GROUPS


class CompanyEditForm(EditForm, CompanyContactMixin):
    contact = COMPANY_CONTACT_GROUPS


class Edit(UpdateStep[EditForm]):
    form_class = EditForm
    template_name = "selfservice/edit.html"
    name = "edit"
    intro = _("Revise sus datos y corrija lo que cambió.")
    button = _("Actualizar Datos")
    step = (3, 3)
    changes = True

    def make_form(self, data: Typed = None, initial: Initial = None) -> EditForm:
        holder = self.holder
        form_class = CompanyEditForm if self.config is COMPANY else PersonEditForm
        fields = [name for _title, names in form_class.contact for name in names if hasattr(holder, name)]
        on_file: dict[str, object] = {name: getattr(holder, name) for name in fields}
        place = comunas().get(holder.comuna)
        on_file["region"] = place.region if place else ""
        on_file["mobile"] = holder.mobile.removeprefix("+569")
        needed = "question" in missing_data(holder)
        return form_class(data=data, initial=initial or on_file, request=self.request, question_needed=needed)

    def context(self) -> dict[str, object]:
        holder = self.holder
        missing = [MISSING_LABELS[name] for name in missing_data(holder)]
        return {"rules": key_rules(), "holder": holder, "missing": missing}

    def check(self, form: EditForm, context: RequestContext) -> Proof | None:
        return service.check(self.holder, form.cleaned_data, context)

    def complete(self, form: EditForm, checked: Proof | None, context: RequestContext) -> Outcome:
        return service.update(self.holder, form.cleaned_data, checked, context)
