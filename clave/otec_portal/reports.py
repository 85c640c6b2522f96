"""Reports for training bodies: attendance by course, sessions open now, roster check before the course starts."""

import re
from datetime import date

from django import forms
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from clave.attendance import record
from clave.attendance.models import ActiveSession
from clave.audit import service as audit
from clave.lib import clock
from clave.lib.request_context import RequestContext
from clave.otec_portal.access import OtecAccount, OtecPage, for_otec
from clave.rce import preflight
from clave.rce.preflight import MOST
from clave.training import spreadsheets
from clave.training.models import Action, Enrolment, Line
from clave.web.errors import error_page
from clave.web.forms import ClaveForm, TextField
from clave.web.middleware import context_of
from clave.web.rendering import show

HEADER = ["RUN", "Segundos acreditados", "Porcentaje", "Sesiones cerradas", "Sesiones perdidas", "Última sesión"]


@for_otec
def courses(request: HttpRequest, account: OtecAccount) -> HttpResponse:
    """List the OTEC's courses and the sessions open now."""
    actions = list(Action.objects.filter(otec=account.otec).order_by("-starts", "code")[:500])
    enrolled = Enrolment.objects.filter(action__in=actions, removed_at=None).values("action")
    counts = dict(enrolled.annotate(count=Count("pk")).values_list("action", "count"))
    for action in actions:
        action.enrolled = counts.get(action.pk, 0)  # type: ignore[attr-defined]
    active = ActiveSession.objects.filter(enrolment__action__otec=account.otec, limit_at__gte=clock.now())
    running = active.select_related("opening", "enrolment__action").order_by("limit_at")[:500]
    return show(request, "otec_portal/courses.html", {"otec": account.otec, "actions": actions, "running": running})


def _period(request: HttpRequest, action: Action) -> tuple[date, date]:
    """Return the requested first and last day, by default the action's."""

    def day(name: str, default: date) -> date:
        try:
            return date.fromisoformat(request.GET.get(name, ""))
        except ValueError:
            return default

    return day("desde", action.starts), day("hasta", action.ends)


def _rows(action: Action, first: date, last: date) -> list[record.CourseRecord]:
    rows = record.records(action.enrolments.order_by("run"))
    for row in rows:
        row.sessions = [s for s in row.sessions if first <= s.opened_at.astimezone(clock.SANTIAGO).date() <= last]
    return rows


def _by_day(rows: list[record.CourseRecord]) -> list[tuple[date, int, int]]:
    """Return (day, credited seconds, percentage of the best day), oldest first."""
    days: dict[date, int] = {}
    for row in rows:
        for session in row.sessions:
            day = session.opened_at.astimezone(clock.SANTIAGO).date()
            days[day] = days.get(day, 0) + session.seconds
    best = max(days.values(), default=0) or 1
    return [(day, seconds, seconds * 100 // best) for day, seconds in sorted(days.items())]


@for_otec
def report(request: HttpRequest, account: OtecAccount, code: str) -> HttpResponse:
    """Show a course's attendance by participant and by day."""
    action = Action.objects.filter(otec=account.otec, code=code).first()
    if action is None:
        return error_page(request, 404)
    first, last = _period(request, action)
    rows = _rows(action, first, last)
    context = {"action": action, "rows": rows, "first": first, "last": last, "days": _by_day(rows)}
    return show(request, "otec_portal/report.html", context)


@for_otec
def export(request: HttpRequest, account: OtecAccount, code: str, kind: str) -> HttpResponseBase:
    """Send a course's attendance as CSV or XLSX."""
    action = Action.objects.filter(otec=account.otec, code=code).first()
    if action is None or kind not in spreadsheets.KINDS:
        return error_page(request, 404)
    lines = [_line(row) for row in _rows(action, *_period(request, action))]
    audit.record("training.export", context_of(request), holder=account.holder)
    name = re.sub(r"[^A-Za-z0-9_-]", "-", action.code)
    return spreadsheets.download(f"asistencia-{name}", kind, HEADER, lines)


def _line(row: record.CourseRecord) -> list[object]:
    states = [session.state for session in row.sessions]
    last = row.last.opened_at.astimezone(clock.SANTIAGO).strftime("%d-%m-%Y %H:%M") if row.last else ""
    return [row.enrolment.run, row.seconds, row.percent, states.count("closed"), states.count("lost"), last]


class PreflightForm(ClaveForm):
    CodigoCurso = TextField(label=_("Código de la acción (CodigoCurso)"), max_length=60)
    CodSence = TextField(label=_("Código SENCE (CodSence)"), max_length=20, required=False, width="w-corto")
    LineaCapacitacion = forms.ChoiceField(label=_("Línea de capacitación"), choices=Line.choices)
    Token = TextField(
        label=_("Token"), max_length=40, required=False, help_text=_("Vacío: se supone uno vigente de los suyos.")
    )
    UrlRetoma = forms.CharField(label="UrlRetoma", max_length=250)
    UrlError = forms.CharField(label="UrlError", max_length=250)
    runs = forms.CharField(
        label=_("RUN de los participantes"),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        max_length=MOST * 20,
        help_text=_("Uno por línea, hasta 2.000."),
    )


class Preflight(OtecPage[PreflightForm]):
    """The page that runs the protocol's own checks on a roster and shows the codes each participant would get."""

    form_class = PreflightForm
    template_name = "otec_portal/preflight.html"
    title = _("Revisar antes de empezar")
    intro = _(
        "Escriba los datos como los enviará su plataforma. Solo de sus inscritos le decimos si tienen Clave SENCE, "
        "y cada persona puede ver que usted preguntó."
    )
    button = _("Revisar")
    findings: list[preflight.Finding] | None = None

    def context(self) -> dict[str, object]:
        findings = self.findings
        return {"findings": findings, "ready": sum(finding.ready for finding in findings or [])}

    def perform(self, form: PreflightForm, context: RequestContext) -> HttpResponse:
        fields = {name: text for name, text in form.cleaned_data.items() if name != "runs"}
        runs = [line.strip() for line in form.cleaned_data["runs"].splitlines() if line.strip()]
        self.findings = preflight.review(self.otec, fields, runs, context, asker=self.holder)
        return self.page(form)
