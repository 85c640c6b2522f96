"""Pages to manage operators and roles: one supervisor proposes more power, another confirms."""

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.backoffice import operator_accounts, operator_changes
from clave.backoffice.access import OperatorPage, for_roles
from clave.backoffice.models import Operator, Proposal, Role
from clave.lib.outcome import Flash, Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.web.forms import ClaveForm, EmailField, TextField
from clave.web.middleware import context_of
from clave.web.rendering import show


class OperatorForm(ClaveForm):
    name = TextField(label=_("Nombre"), max_length=80)
    email = EmailField(label=_("Correo"))
    role = forms.ChoiceField(label=_("Rol"), choices=Role.choices)


class Operators(OperatorPage[OperatorForm]):
    """The list of operators and pending proposals, and the form to invite (again, for example after losing a phone)."""

    roles = (Role.SUPERVISOR,)
    form_class = OperatorForm
    template_name = "backoffice/operators.html"
    title = _("Operadores")
    button = _("Proponer la invitación")
    changes = True

    def context(self) -> dict[str, object]:
        return {
            **super().context(),
            "operators": Operator.objects.order_by("name"),
            "choices": Role.choices,
            "proposals": operator_changes.waiting().select_related("proposed_by").order_by("pk"),
            "has_second": operator_changes.has_second(self.operator),
        }

    def complete(self, form: OperatorForm, checked: None, context: RequestContext) -> Outcome:
        data = form.cleaned_data
        operator_changes.propose_invitation(data["email"], data["name"], data["role"], self.operator, context)
        sentence = str(_("La invitación a {email} espera que otra persona con rol Supervisor la confirme."))
        return Flash(sentence.format(email=data["email"]), reverse("backoffice_operators"))


@for_roles(Role.SUPERVISOR)
def change_operator(request: HttpRequest, operator: Operator, pk: int) -> HttpResponse:
    """Change another operator's role (`rol`), suspend or reactivate (`activo`).

    Changes that only remove power take effect immediately; the others are proposed.
    """
    subject = Operator.objects.filter(pk=pk).first()
    role, active, context = request.POST.get("rol", ""), request.POST.get("activo", ""), context_of(request)
    if subject is not None and request.method == "POST":
        try:
            if role in Role.values and operator_changes.lowers(subject, role):
                operator_accounts.change_role(subject, role, operator, context)
            elif role in Role.values:
                operator_changes.propose_role(subject, role, operator, context)
            elif active == "no":
                operator_accounts.set_active(subject, False, operator, context)
            elif active == "si":
                operator_changes.propose_reactivation(subject, operator, context)
        except Refused as refused:
            page = {"operator": operator, "message": refused.message, "back": reverse("backoffice_operators")}
            return show(request, "backoffice/refused.html", page, status=refused.status)
    return HttpResponseRedirect(reverse("backoffice_operators"))


class DecisionForm(ClaveForm):
    decision = forms.ChoiceField(
        label=_("Decisión"),
        choices=[("si", _("Confirmar")), ("no", _("Rechazar"))],
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Elija Confirmar o Rechazar.")},
    )


class Decide(OperatorPage[DecisionForm]):
    """The page where a second supervisor confirms or rejects a proposal."""

    roles = (Role.SUPERVISOR,)
    form_class = DecisionForm
    template_name = "backoffice/proposal.html"
    title = _("Confirmar un cambio de operadores")
    button = _("Guardar la decisión")
    back = "/backoffice/operadores"
    changes = True
    proposal: Proposal

    def find(self, **kwargs: object) -> HttpResponse | None:
        proposals = Proposal.objects.select_related("proposed_by", "subject")
        self.proposal = get_object_or_404(proposals, pk=kwargs["pk"])
        return None

    def context(self) -> dict[str, object]:
        return {**super().context(), "proposal": self.proposal}

    def complete(self, form: DecisionForm, checked: None, context: RequestContext) -> Outcome:
        if form.cleaned_data["decision"] == "si":
            operator_changes.confirm(self.proposal, self.operator, context)
            message = _("La propuesta quedó confirmada.")
        else:
            operator_changes.decline(self.proposal, self.operator, context)
            message = _("La propuesta quedó rechazada.")
        return Flash(str(message), reverse("backoffice_operators"))
