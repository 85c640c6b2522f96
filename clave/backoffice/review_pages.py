"""Reviewers' decisions: facilitator requests, with their documents, and annulments of sworn statements."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.backoffice import service
from clave.backoffice.access import OperatorPage, for_roles
from clave.backoffice.models import Kind, Operator, Reason, Role
from clave.documents import service as documents
from clave.holders.countries import country_name
from clave.lib.outcome import Flash, Outcome
from clave.lib.request_context import RequestContext
from clave.selfservice.facilitators import service as facilitator
from clave.selfservice.models import Decision, FacilitatorRequest
from clave.statements import service as statements
from clave.statements.models import State, Statement
from clave.web.errors import error_page
from clave.web.forms import ClaveForm, TextField
from clave.web.middleware import context_of
from clave.web.rendering import show

REVIEWERS = (Role.REVIEWER, Role.SUPERVISOR)
MOST = 100
_REQUESTS = FacilitatorRequest.objects.select_related("company", "affidavit", "identity")


@for_roles(*REVIEWERS)
def requests(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List the requests awaiting a decision, oldest first."""
    pending = _REQUESTS.filter(state=Decision.PENDING)
    annulments = Statement.objects.filter(state=State.REQUESTED).defer("pdf").select_related("action")
    context = {"asked": pending.order_by("pk")[:MOST], "annulments": annulments.order_by("pk")[:MOST]}
    return show(request, "backoffice/requests.html", {"operator": operator, **context})


def _decided(folio: str, granted: bool) -> str:
    message = _("La solicitud {folio} quedó aprobada.") if granted else _("La solicitud {folio} quedó rechazada.")
    return str(message).format(folio=folio)


class DecisionForm(ClaveForm):
    decision = forms.ChoiceField(
        label=_("Decisión"),
        choices=[("si", _("Aprobar")), ("no", _("Rechazar"))],
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Elija Aprobar o Rechazar.")},
    )
    reason = TextField(
        label=_("Motivo"),
        max_length=300,
        required=False,
        help_text=_("Obligatorio si rechaza: quien hizo la solicitud lo lee."),
    )

    def clean(self) -> dict[str, object]:
        data = self.cleaned_data
        if data.get("decision") == "no" and len(data.get("reason", "")) < 5:
            self.refuse("required", str(_("Falta completar: Motivo.")), "reason")
        return data


class Request(OperatorPage[DecisionForm]):
    """A company's facilitator request with its documents, to be approved or rejected with a reason."""

    roles = REVIEWERS
    form_class = DecisionForm
    template_name = "backoffice/request.html"
    title = _("Solicitud de facilitador extranjero")
    button = _("Guardar la decisión")

    changes = True
    facilitator_request: FacilitatorRequest

    def find(self, **kwargs: object) -> HttpResponse | None:
        self.facilitator_request = get_object_or_404(_REQUESTS, pk=kwargs["pk"])
        return None

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        service.see(
            self.operator,
            self.facilitator_request.company,
            service.Why(Reason.REQUEST, self.facilitator_request.folio),
            context_of(request),
        )
        return super().get(request, **kwargs)

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("backoffice_requests")

    def context(self) -> dict[str, object]:
        papers = [("affidavit", _("Declaración jurada")), ("identity", _("Documento de identidad"))]
        return {
            **super().context(),
            "asked": self.facilitator_request,
            "who": self.facilitator_request.holder,
            "country": country_name(self.facilitator_request.country),
            "papers": [
                (name, title, getattr(self.facilitator_request, name))
                for name, title in papers
                if getattr(self.facilitator_request, name)
            ],
            "pending": self.facilitator_request.state == Decision.PENDING,
        }

    def complete(self, form: DecisionForm, checked: None, context: RequestContext) -> Outcome:
        facilitator_request, data = self.facilitator_request, form.cleaned_data
        # The facilitator's key is sent to an e-mail address typed by the company, so the two-person rule applies.
        service.require_no_part(self.operator, facilitator_request.company)
        if data["decision"] == "si":
            facilitator.approve(facilitator_request, str(self.operator.pk), context)
        else:
            facilitator.reject(facilitator_request, data["reason"], str(self.operator.pk), context)
        why = service.Why(Reason.REQUEST, facilitator_request.folio)
        service.record_action(
            self.operator, facilitator_request.company, Kind.DECIDED, why, context, decision=data["decision"]
        )
        return Flash(_decided(facilitator_request.folio, data["decision"] == "si"), self.back)


@for_roles(*REVIEWERS)
def document(request: HttpRequest, operator: Operator, pk: int, name: str) -> HttpResponse:
    """Send a request's document to a reviewer; each access is recorded first (abuse case 33)."""
    facilitator_request = get_object_or_404(_REQUESTS, pk=pk)
    paper = getattr(facilitator_request, name) if name in ("affidavit", "identity") else None
    if paper is None:
        return error_page(request, 404)
    try:
        content = documents.contents(paper)
    except documents.NotReadable:
        return show(request, "backoffice/quarantine.html", {"operator": operator, "pk": pk}, status=409)
    why = service.Why(Reason.REQUEST, facilitator_request.folio)
    service.record_action(operator, facilitator_request.company, Kind.DOCUMENT, why, context_of(request), document=name)
    response = HttpResponse(content, content_type=documents.TYPES[paper.kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{facilitator_request.folio}.{paper.kind}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


class Annulment(OperatorPage[DecisionForm]):
    """A request by a participant or training body to annul a sworn statement so that it can be reissued."""

    roles = REVIEWERS
    form_class = DecisionForm
    template_name = "backoffice/annulment.html"
    title = _("Anulación de una declaración jurada")
    button = _("Guardar la decisión")

    changes = True

    def find(self, **kwargs: object) -> HttpResponse | None:
        requested = Statement.objects.filter(state=State.REQUESTED).defer("pdf")
        self.statement = get_object_or_404(requested, pk=kwargs["pk"])
        return None

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("backoffice_requests")

    def context(self) -> dict[str, object]:
        return {**super().context(), "statement": self.statement}

    def complete(self, form: DecisionForm, checked: None, context: RequestContext) -> Outcome:
        granted = form.cleaned_data["decision"] == "si"
        reason = form.cleaned_data["reason"] or str(_("Aprobada"))
        statements.decide(self.statement, granted, reason, context, operator=str(self.operator.pk))
        return Flash(_decided(self.statement.folio, granted), self.back)
