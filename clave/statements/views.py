"""Pages of sworn statements: the OTEC's, the participant's, and public verification."""

from typing import Unpack

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.attendance.my_courses import participant
from clave.attendance.record import CourseRecord
from clave.credentials.service import Proof
from clave.holders.models import Holder, Profile
from clave.holders.profiles import COMPANY, ProfileArguments
from clave.lib import clock
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.otec_portal.access import OtecAccount, for_otec, signed_in_otec
from clave.signin import service as signin
from clave.signin.login_required import current_holder, to_sign_in
from clave.signin.reauthentication import KeyForm, KeyPage, LockedRutForm
from clave.statements import service
from clave.statements.models import VALID, Kind, State, Statement
from clave.training.models import Action
from clave.training.models import State as ActionState
from clave.web.errors import error_page, refusal_page
from clave.web.form_pages import FormPage
from clave.web.forms import ClaveForm, CleanedData, Initial, TextField, Typed
from clave.web.middleware import context_of
from clave.web.rendering import SeeOther, show

RESULTS = [("", _("No terminó")), (service.PASSED, _("Aprobado")), (service.FAILED, _("Reprobado"))]


class StateForm(LockedRutForm):
    """The data a participant adds to the summary, and the sign-in."""

    profession = TextField(label=_("Profesión u oficio"), max_length=80)
    address = TextField(
        label=_("Domicilio comercial"), max_length=160, help_text=_("Calle, número y comuna de su trabajo.")
    )
    groups = [
        (_("Sus datos"), ["profession", "address"]),
        (_("Firme con su Clave SENCE"), ["rut", "key"]),
        ("", ["captcha"]),
    ]


class Issue(KeyPage[StateForm]):
    """The page where a participant reads the summary, adds profession and address, and signs with the CS."""

    form_class = StateForm
    template_name = "statements/issue.html"
    title = _("Declaración jurada")
    intro = _("Lea el resumen. Si está de acuerdo, complete sus datos y firme con su Clave SENCE.")
    button = _("Declaro bajo juramento")
    holder: Holder

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        holder = participant(request)
        if holder is None:
            return to_sign_in(request)
        actions = Action.objects.filter(enrolments__run=holder.identifier)
        action = actions.select_related("otec").filter(code=kwargs["code"]).first()
        if action is None:
            return error_page(request, 404)
        self.holder, self.action = holder, action
        about = {"kind": Kind.PARTICIPANT, "action": action, "run": holder.identifier, "state__in": VALID}
        issued = Statement.objects.filter(**about).defer("pdf").order_by("-until").first()
        try:
            self.facts = service.summary(action, holder.identifier)
        except Refused as refused:
            return _to(issued) if issued else refusal_page(request, refused)
        # Last year's partial statement must not block the final one.
        if issued and issued.until.isoformat() == self.facts["until"]:
            return _to(issued)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        return self.page(self.make_form(initial={"rut": Rut.parse(self.holder.identifier).pretty}))

    def context(self) -> dict[str, object]:
        dates = service.deadlines(self.action)
        return {"facts": self.facts, "action": self.action, "deadlines": dates, "name": self.holder.full_name}

    def proved(self, proof: Proof, typed: CleanedData, context: RequestContext) -> HttpResponse:
        if proof.holder.pk != self.holder.pk:
            raise Refused("not_yours", gettext("Firme con la Clave SENCE de la misma persona."), field="rut")
        signin.let_in(proof, context)
        profession, address = typed["profession"], typed["address"]
        issued = service.issue_for_participant(self.action, proof.holder, profession, address, context)
        return SeeOther(reverse("statement", args=[issued.folio]))


def _to(issued: Statement) -> HttpResponse:
    return HttpResponseRedirect(reverse("statement", args=[issued.folio]))


class OtecForm(KeyForm):
    """A training body's statement: the result of each participant, then the company's sign-in."""

    def __init__(self, *, rows: list[CourseRecord], **arguments: Unpack[ProfileArguments]) -> None:
        super().__init__(**arguments)
        results: dict[str, forms.Field] = {f"r_{row.enrolment.run}": _result(row) for row in rows}
        self.fields = {**results, **self.fields}


def _result(row: CourseRecord) -> forms.Field:
    label = f"{row.enrolment.run} · {row.percent} %"
    return forms.ChoiceField(label=label, choices=RESULTS, required=False)


class IssueForOtec(KeyPage[OtecForm]):
    """The page where the training body states who passed and who failed, and signs with the company's key."""

    config = COMPANY
    form_class = OtecForm
    template_name = "statements/issue_body.html"
    title = _("Declaración jurada del organismo de capacitación")
    intro = _("Indique quiénes completaron el curso y con qué resultado. Firme con la Clave SENCE de la empresa.")
    button = _("Declaramos bajo juramento")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        account = signed_in_otec(request)
        if isinstance(account, HttpResponse):
            return account
        otec = account.otec
        action = Action.objects.select_related("otec").filter(otec=otec, code=kwargs["code"]).first()
        if action is None:
            return error_page(request, 404)
        self.action, self.otec = action, otec
        issued = action.statements.filter(kind=Kind.OTEC, state__in=VALID).order_by("-until").first()
        when = service.period(action)
        annulled = action.state == ActionState.ANNULLED
        if issued and (annulled or when is None or issued.until == when[0]):
            return self._overview(issued)
        if annulled:
            return refusal_page(request, service.ActionAnnulled(), {"back": reverse("body_statements")})
        if when is None:
            return show(request, "statements/too_early.html", {"action": action}, status=403)
        self.until = when
        self.rows = service.records_until(action, when[0])
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        percent = settings.STATEMENT_PERCENT[self.action.line]
        initial = {f"r_{row.enrolment.run}": service.PASSED for row in self.rows if row.percent >= percent}
        return self.page(self.make_form(initial={**initial, "rut": Rut.parse(self.otec.rut).pretty}))

    def make_form(self, data: Typed = None, initial: Initial = None) -> OtecForm:
        return OtecForm(
            rows=self.rows,
            data=data,
            initial=initial,
            request=self.request,
            config=self.config,
            letters=self.letters,
        )

    def context(self) -> dict[str, object]:
        until, partial = self.until
        dates = service.deadlines(self.action)
        return {"action": self.action, "until": until, "partial": partial, "deadlines": dates}

    def proved(self, proof: Proof, typed: CleanedData, context: RequestContext) -> HttpResponse:
        if proof.holder.identifier != self.otec.rut:
            raise Refused("not_yours", gettext("Firme con la Clave SENCE de la misma empresa."), field="rut")
        signin.let_in(proof, context)
        results = {name.removeprefix("r_"): text for name, text in typed.items() if name.startswith("r_")}
        service.issue_for_otec(self.action, results, proof.holder, typed["representative"].pretty, context)
        return SeeOther(self.request.path)

    def _overview(self, issued: Statement) -> HttpResponse:
        """Show which participants have issued and which have not; on POST remind the latter."""
        annulled = self.action.state == ActionState.ANNULLED
        remind = self.request.method == "POST" and "recordar" in self.request.POST and not annulled
        reminded = service.remind(self.action, issued) if remind else None
        about = {"kind": Kind.PARTICIPANT, "action": self.action, "until": issued.until, "state__in": VALID}
        done = {statement.run: statement for statement in Statement.objects.filter(**about).defer("pdf")}
        rows = [(row, done.get(row["run"])) for row in issued.data["rows"]]
        context = {"action": self.action, "issued": issued, "rows": rows, "reminded": reminded}
        context["annulled"] = annulled
        context["reminded_today"] = remind and reminded is None
        return show(self.request, "statements/overview.html", {**context, "deadlines": service.deadlines(self.action)})


def _owned(request: HttpRequest, folio: str) -> tuple[Statement, Holder] | None:
    """Return a statement and the holder if signed in as its owner: the participant or the course's training body."""
    holder, found = current_holder(request), service.find(folio)
    if holder is None or found is None:
        return None
    is_participant = found.run == holder.identifier and holder.profile == Profile.PERSONA_NATURAL
    is_otec = found.action.otec.rut == holder.identifier and holder.profile == Profile.PERSONA_JURIDICA
    return (found, holder) if is_participant or is_otec else None


def statement(request: HttpRequest, folio: str) -> HttpResponse:
    """Show a statement to its owner; on POST request its annulment and reissue."""
    owned = _owned(request, folio)
    if owned is None:
        return error_page(request, 404)
    found, holder = owned
    if request.method == "POST":
        reason = " ".join(request.POST.get("motivo", "").split())[:300]
        if reason and found.is_valid and not found.action_is_annulled:
            service.request_annulment(found, reason, holder, context_of(request))
        return HttpResponseRedirect(request.path)
    may_ask = found.state in (State.ISSUED, State.REJECTED) and not found.action_is_annulled
    response = show(request, "statements/statement.html", {"statement": found, "may_ask": may_ask})
    if not found.digest:
        response.headers["Refresh"] = "3"
    return response


def paper(request: HttpRequest, folio: str) -> HttpResponse:
    """Send a statement's PDF to its owner."""
    owned = _owned(request, folio)
    if owned is None or not owned[0].digest:
        return error_page(request, 404)
    response = HttpResponse(bytes(owned[0].pdf), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="declaracion-{owned[0].folio}.pdf"'
    return response


class VerifyForm(ClaveForm):
    has_files = True
    folio = TextField(
        label=_("Folio"), max_length=20, required=False, width="w-corto", help_text=_("Ejemplo: 123-2026")
    )
    paper = forms.FileField(
        label=_("O el archivo PDF"), required=False, widget=forms.FileInput(attrs={"accept": ".pdf"})
    )

    def clean_folio(self) -> str:
        folio: str = self.cleaned_data["folio"]
        if folio and not service.FOLIO.fullmatch(folio):
            raise ValidationError(gettext("El folio es un número, un guion y un año. Ejemplo: 123-2026"), code="folio")
        return folio

    def clean(self) -> dict[str, object]:
        data: dict[str, object] = super().clean() or self.cleaned_data
        if not self.errors_so_far and not data.get("folio") and not data.get("paper"):
            raise ValidationError(gettext("Escriba el folio o traiga el archivo PDF."), code="nothing")
        return data


class Verify(FormPage[VerifyForm]):
    """The public page to verify a statement by its folio or its PDF."""

    cached_blank = True
    form_class = VerifyForm
    title = _("Verificar una declaración jurada")
    intro = _("Escriba el folio o traiga el archivo PDF.")
    button = _("Verificar")

    def perform(self, form: VerifyForm, context: RequestContext) -> HttpResponse:
        content = form.cleaned_data["paper"]
        if content:
            statement = service.find_paper(content.read())
            if statement is None:
                return show(self.request, "statements/verified.html", {"altered": True}, status=404)
            return show(self.request, "statements/verified.html", {"statement": statement, "by_paper": True})
        return HttpResponseRedirect(reverse("verify_folio", args=[form.cleaned_data["folio"]]))


def verify_folio(request: HttpRequest, folio: str) -> HttpResponse:
    """Show whether a folio is valid, and nothing beyond what verification needs."""
    statement = service.find(folio)
    status = 200 if statement else 404
    return show(request, "statements/verified.html", {"statement": statement, "folio": folio}, status=status)


@for_otec
def otec_statements(request: HttpRequest, account: OtecAccount) -> HttpResponse:
    """List the OTEC's courses that have ended, with the state of their statements."""
    ended = Action.objects.filter(otec=account.otec, ends__lt=clock.today()).order_by("-ends")[:200]
    statements = Statement.objects.filter(action__in=ended, kind=Kind.OTEC, state__in=VALID).defer("pdf")
    issued = {statement.action_id: statement for statement in statements}
    rows = [(action, issued.get(action.pk), service.deadlines(action)) for action in ended]
    return show(request, "statements/body_statements.html", {"rows": rows})
