"""Changes of a holder's contact and secret question: the help desk proposes, someone else confirms."""

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from clave.backoffice import service
from clave.backoffice.access import for_roles
from clave.backoffice.desk_pages import DESK, HolderAction, ReasonForm, ReasonFormT
from clave.backoffice.models import Operator
from clave.holders.models import Profile
from clave.lib.masking import masked_email
from clave.lib.request_context import RequestContext
from clave.selfservice.confirmations import contact_change
from clave.selfservice.confirmations.contact_change import NoLongerWaiting
from clave.selfservice.fields import landline
from clave.selfservice.models import ContactChange
from clave.web.errors import error_page, refusal_page
from clave.web.forms import EmailField
from clave.web.rendering import show

MOST = 200


class ContactForm(ReasonForm):
    """The telephone and e-mail given by the caller (mission.md, section 4)."""

    work_phone = landline(_("Teléfono fijo"))
    email = EmailField(label=_("Correo electrónico"))
    groups = [
        (_("Lo que dice la empresa"), ["work_phone", "email"]),
        (_("Motivo"), ["reason", "note"]),
    ]

    def adapt(self) -> None:
        super().adapt()
        self.fields["email"].widget.attrs["autocomplete"] = "off"


class ContactAction(HolderAction[ReasonFormT]):
    """An action on a holder whose contact is maintained by the help desk."""

    def find(self, **kwargs: object) -> HttpResponse | None:
        response = super().find(**kwargs)
        return response if self.holder.profile in service.CONTACT_KEPT else error_page(self.request, 403)

    def card_page(self) -> str:
        """Return the URL where a representative confirms by card; empty for a profile without representatives."""
        company = self.holder.profile == Profile.PERSONA_JURIDICA
        return f"{settings.CLAVE_URL}/empresa/confirmar" if company else ""


class ProposeContact(ContactAction[ContactForm]):
    form_class = ContactForm
    title = _("Actualizar el contacto")
    intro = _(
        "Escriba lo que dice quien llama. El cambio vale cuando lo confirma la empresa (por su correo registrado o con "
        "la cédula de un representante) o una segunda persona de la mesa de ayuda."
    )
    button = _("Proponer el cambio")

    def act(self, form: ContactForm, context: RequestContext) -> str:
        service.propose_contact(self.operator, self.holder, form.cleaned_data, form.why, context)
        message = str(_("El cambio espera confirmación. Avisamos al correo registrado y al nuevo."))
        if not self.card_page():
            return message
        by_card = _("Si la empresa no puede leer su correo, un representante lo confirma con su cédula en {url}")
        return f"{message} {str(by_card).format(url=self.card_page())}"


class StartQuestion(ContactAction[ReasonForm]):
    form_class = ReasonForm
    title = _("Pedir otra pregunta secreta")
    intro = _(
        "Enviamos un enlace al correo registrado. Sirve una vez, por una hora. La empresa elige la pregunta y escribe "
        "la respuesta: usted no ve el enlace ni la respuesta, y no debe pedirla."
    )
    button = _("Enviar el enlace")

    def act(self, form: ReasonForm, context: RequestContext) -> str:
        service.start_question(self.operator, self.holder, form.why, context)
        return str(_("El enlace va en camino al correo registrado."))


class DecisionForm(ReasonForm):
    decision = forms.ChoiceField(
        label=_("Decisión"),
        choices=[("si", _("Confirmar")), ("no", _("Rechazar"))],
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Elija Confirmar o Rechazar.")},
    )
    groups = [("", ["decision"]), (_("Motivo"), ["reason", "note"])]


class DecideContact(ContactAction[DecisionForm]):
    """The page where a second operator decides what another one has proposed."""

    form_class = DecisionForm
    template_name = "backoffice/contact_change.html"
    title = _("Confirmar o rechazar un cambio de contacto")
    intro = _(
        "Confirme solo si comprobó por su cuenta que la empresa lo pidió, por ejemplo llamando a un teléfono suyo."
    )
    button = _("Guardar la decisión")
    change: ContactChange

    def find(self, **kwargs: object) -> HttpResponse | None:
        response = super().find(**kwargs)
        if response is not None:
            return response
        waiting = contact_change.waiting().filter(holder=self.holder, pk=str(kwargs["change"]))
        change = waiting.select_related("holder").first()
        if change is None:
            return refusal_page(self.request, NoLongerWaiting())
        self.change = change
        return None

    def context(self) -> dict[str, object]:
        change = self.change
        return {
            **super().context(),
            "change": change,
            "old_email": masked_email(change.old_email) if change.old_email else "",
            "proposer": Operator.objects.filter(pk=change.proposed_by).first(),
        }

    def act(self, form: DecisionForm, context: RequestContext) -> str:
        if form.cleaned_data["decision"] == "si":
            service.confirm_contact(self.operator, self.change, form.why, context)
            return str(_("El contacto quedó confirmado. Avisamos al correo anterior y al nuevo."))
        service.decline_contact(self.operator, self.change, form.why, context)
        return str(_("El cambio quedó rechazado. Todo queda como estaba."))


@for_roles(*DESK)
def contact_changes(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List the contact changes pending confirmation, oldest first."""
    names = {str(pk): name for pk, name in Operator.objects.values_list("pk", "name")}
    changes = contact_change.waiting().select_related("holder").order_by("pk")[:MOST]
    rows = [(change, names.get(change.proposed_by, "—"), change.proposed_by == str(operator.pk)) for change in changes]
    return show(request, "backoffice/contact_changes.html", {"operator": operator, "rows": rows})
