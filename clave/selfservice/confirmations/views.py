"""Confirmation by the holder of changes started by the help desk: by e-mail link or a representative's identity card.

The pages need no script, and GET changes nothing because mail scanners open links.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from clave.holders.models import Holder
from clave.holders.profiles import COMPANY
from clave.holders.service import holder_from_proof, proof_data
from clave.lib.masking import masked_email
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.selfservice.confirmations import contact_change, question_renewal
from clave.selfservice.confirmations.contact_change import CARD, LINK, NoLongerWaiting
from clave.selfservice.fields import QuestionMixin
from clave.selfservice.models import ContactChange
from clave.selfservice.recover import service as recover
from clave.selfservice.recover.views import CardForm
from clave.web.errors import refusal_page
from clave.web.form_pages import FormPage, FormT, StepPage
from clave.web.forms import CaptchaField, ClaveForm, RutField
from clave.web.wizard import Wizard

FLOW = "confirm"


@require_safe
def follow_link(request: HttpRequest, step: str) -> HttpResponse:
    """Redirect from the link in an e-mail to its page. The code is in the query string, which we never log."""
    code = request.GET.get("codigo", "")
    change = contact_change.find(code)
    if change is not None:
        wizard = Wizard.begin(request, FLOW, "contact", change=change.pk, proof=LINK, **proof_data(change.holder))
        wizard.allow("reject")
        return HttpResponseRedirect(reverse(f"confirm_{step}", args=[wizard.run]))
    renewal = question_renewal.find(code)
    if renewal is not None:
        wizard = Wizard.begin(request, FLOW, "question", renewal=renewal.pk, **proof_data(renewal.holder))
        return HttpResponseRedirect(reverse("confirm_question", args=[wizard.run]))
    return refusal_page(request, NoLongerWaiting())


class ProofForm(CardForm):
    """RUT Empresa, a legal representative's RUN, and the serial number of their identity card."""

    rut = RutField(label=_("RUT Empresa"))
    representative = RutField(label=_("RUT del representante legal"))
    captcha = CaptchaField()
    groups = [("", ["rut", "representative", "serial", "captcha"])]

    def adapt(self) -> None:
        super().adapt()
        self.fields["representative"].widget.attrs["autocomplete"] = "off"


class CardProof(FormPage[ProofForm]):
    """The page for a company without access to its mailbox: proof by a representative's identity card.

    The SII confirms the representative, Registro Civil the card.
    """

    form_class = ProofForm
    title = _("Confirmar datos de la empresa con cédula de identidad")
    intro = _(
        "Tenga a mano el RUT de la empresa y la cédula de identidad de un representante legal. Aquí confirma el "
        "contacto que dio a la mesa de ayuda y elige su pregunta secreta. Toma unos 3 minutos."
    )
    button = _("Validar")
    step = (1, 2)

    def perform(self, form: ProofForm, context: RequestContext) -> HttpResponse:
        data = form.cleaned_data
        claim, run = COMPANY.claim(str(data["rut"])), data["representative"]
        recover.check_representative(claim, run, context)
        holder = recover.check_card(claim, run, data["serial"], context)
        change = contact_change.waiting_for(holder)
        if change is None and not settings.SECRET_QUESTIONS:
            raise Refused("nothing_waits", gettext("No hay nada que confirmar para esta empresa."))
        first = "contact" if change else "question"
        proof: dict[str, object] = {**proof_data(holder), "representative": str(run), "proof": CARD}
        wizard = Wizard.begin(self.request, FLOW, first, change=change.pk if change else None, **proof)
        if change:
            wizard.allow("reject")
        if settings.SECRET_QUESTIONS:
            wizard.allow("question")
        return HttpResponseRedirect(reverse(f"confirm_{first}", args=[wizard.run]))


class ConfirmStep(StepPage[FormT]):
    """A step reached by link or card."""

    flow = FLOW
    back = "/"
    changes = True
    holder: Holder

    def prepare(self) -> None:
        if not self.is_waiting():
            raise NoLongerWaiting
        self.holder = holder_from_proof(self.wizard.data)

    @property
    def by_card(self) -> bool:
        return self.wizard.data.get("proof") == CARD

    @property
    def step(self) -> tuple[int, int] | None:  # type: ignore[override]
        return (2, 2) if self.by_card else None

    def is_waiting(self) -> bool:
        """Load the object of this step; return whether it still awaits confirmation."""
        raise NotImplementedError


class ContactForm(ClaveForm):
    """A form without fields: only a button."""


class ContactStep(ConfirmStep[ContactForm]):
    """The step that confirms the contact proposed by the help desk."""

    form_class = ContactForm
    template_name = "selfservice/confirm_contact.html"
    name = "contact"
    title = _("Confirmar el contacto nuevo")
    button = _("Confirmar el cambio")

    change: ContactChange

    def is_waiting(self) -> bool:
        change = contact_change.waiting().filter(pk=self.wizard.data["change"]).select_related("holder").first()
        self.change = change or ContactChange()
        return change is not None

    def context(self) -> dict[str, object]:
        change = self.change
        return {
            "who": change.holder.display_name,
            "email": masked_email(change.email) if change.moves_email else "",
            "telephone": change.work_phone[-2:],
            "until": change.expires_at,
            "reject": reverse("confirm_reject", args=[self.wizard.run]),
        }

    def complete(self, form: ContactForm, checked: None, context: RequestContext) -> Outcome:
        data = self.wizard.data
        question = reverse("confirm_question", args=[self.wizard.run]) if self.wizard.may("question") else ""
        return contact_change.confirm(
            self.change, data["proof"], context, representative=data.get("representative", ""), question=question
        )

    def completed(self) -> None:
        """End the flow or, after proof by card, go on to the question with a new proof: the change voided the old."""
        if self.wizard.may("question"):
            self.wizard.allow("question", **proof_data(Holder.objects.get(pk=self.holder.pk)))
        else:
            self.wizard.end()


class RejectStep(ContactStep):
    """The step that rejects a change nobody in the company requested."""

    template_name = "selfservice/reject_contact.html"
    name = "reject"
    title = _("Rechazar el cambio de contacto")
    button = _("Rechazar el cambio")

    def complete(self, form: ContactForm, checked: None, context: RequestContext) -> Outcome:
        return contact_change.refuse(self.change, self.wizard.data["proof"], context)

    def completed(self) -> None:
        self.wizard.end()


class QuestionForm(QuestionMixin):
    """Pregunta and Respuesta Secreta, chosen by the holder."""


class QuestionStep(ConfirmStep[QuestionForm]):
    """The step that sets a secret question; the help desk never sees the answer."""

    form_class = QuestionForm
    template_name = "selfservice/confirm_question.html"
    name = "question"
    title = _("Elegir la pregunta secreta")
    intro = _("Escriba usted la respuesta. Nadie de la mesa de ayuda la ve ni se la pide.")
    button = _("Guardar")

    def is_waiting(self) -> bool:
        return self.by_card or question_renewal.is_open(self.wizard.data["renewal"])

    def context(self) -> dict[str, object]:
        return {"who": self.holder.display_name}

    def complete(self, form: QuestionForm, checked: None, context: RequestContext) -> Outcome:
        data = self.wizard.data
        return question_renewal.renew(
            self.holder,
            form.cleaned_data["question"],
            form.cleaned_data["answer"],
            context,
            renewal=data.get("renewal"),
            representative=data.get("representative", ""),
        )
