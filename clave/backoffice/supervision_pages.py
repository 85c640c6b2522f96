"""Pages for supervisors and auditors: audit trail and seals, workload, messages."""

from datetime import date, datetime, time, timedelta

from django import forms
from django.db.models import Count, Max, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.audit import service as audit
from clave.audit.labels import ACTIONS
from clave.audit.models import Entry, OperatorOf, Seal
from clave.backoffice import search, tasks
from clave.backoffice.access import OperatorPage, for_roles
from clave.backoffice.models import ChainReading, Kind, Operator, OperatorAction, Role
from clave.lib import clock
from clave.lib.request_context import RequestContext
from clave.notifications.models import Message, State
from clave.notifications.outbox import late_messages
from clave.training import spreadsheets
from clave.web.forms import ClaveForm, CleanedData, TextField
from clave.web.middleware import context_of
from clave.web.rendering import show

WATCHERS = (Role.SUPERVISOR, Role.AUDITOR)
PAGE, MOST_EXPORTED = 100, 50_000
HEADER = ["id", "cuándo", "acción", "resultado", "titular", "operador", "dirección", "navegador", "detalle"]


class OperatorField(forms.ModelChoiceField[Operator]):
    """A choice among the operators, by name."""

    def label_from_instance(self, operator: Operator) -> str:
        return operator.name


class FilterForm(ClaveForm):
    """The filter of the audit trail; posted, so that no RUT appears in a URL."""

    action = TextField(label=_("Acción"), max_length=40, required=False, help_text=_("O su comienzo: signin, key…"))
    who = TextField(label=_("Titular"), max_length=120, required=False, help_text=_("RUT, NIE, documento o correo."))
    operator = OperatorField(
        Operator.objects.order_by("name"),
        label=_("Operador"),
        required=False,
        empty_label=_("Todos"),
        to_field_name="pk",
    )
    first = forms.DateField(label=_("Desde"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("Hasta"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    before = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=0, max_value=2**62)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.SANTIAGO)


def filtered(data: CleanedData) -> QuerySet[Entry]:
    """Return the entries matching a filter's cleaned data, newest first."""
    entries = Entry.objects.order_by("-pk")
    if data.get("action"):
        # If no action has this prefix, do not search millions of entries for it.
        known = any(name.startswith(data["action"]) for name in ACTIONS)
        entries = entries.filter(action__startswith=data["action"]) if known else entries.none()
    if data.get("who"):
        entries = entries.filter(subject__in=[str(holder.pk) for holder in search.find(data["who"]).holders])
    if data.get("operator"):
        entries = entries.annotate(who=OperatorOf("detail")).filter(who=str(data["operator"].pk))
    if data.get("first") or data.get("last"):
        entries = entries.order_by("-at", "-pk")
    if data.get("first"):
        entries = entries.filter(at__gte=_midnight(data["first"]))
    if data.get("last"):
        entries = entries.filter(at__lt=_midnight(data["last"] + timedelta(days=1)))
    return entries


class Trail(OperatorPage[FilterForm]):
    """The audit trail: filter, view, export. Access to it is itself audited."""

    roles = WATCHERS
    form_class = FilterForm
    template_name = "backoffice/trail.html"
    title = _("Registro de auditoría")
    button = _("Filtrar")
    entries: list[Entry] | None = None

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        audit.record("audit.read", context_of(request), operator=str(self.operator.pk))
        self.entries = list(Entry.objects.order_by("-pk")[:PAGE])
        return self.page(self.make_form())

    def context(self) -> dict[str, object]:
        entries = self.entries or []
        names = {str(pk): name for pk, name in Operator.objects.values_list("pk", "name")}
        rows = [(entry, names.get(str(entry.detail.get("operator", "")), "")) for entry in entries]
        more = entries[-1].pk if len(entries) == PAGE else None
        reading = ChainReading.objects.order_by("-pk").first()
        return {
            **super().context(),
            "rows": rows,
            "more": more,
            "reading": reading,
            "is_given_up": reading is not None and tasks.is_given_up(reading),
            "newest": _newest(),
        }

    def perform(self, form: FilterForm, context: RequestContext) -> HttpResponseBase:
        data = form.cleaned_data
        entries = filtered(data)
        # Holders can see in their own history that it was read.
        looked_up = search.find(data["who"]).holders if data.get("who") else []
        for holder in looked_up or (None,):
            audit.record("audit.read", context, holder=holder, operator=str(self.operator.pk))
        kind = self.request.POST.get("exportar", "")
        if kind in spreadsheets.KINDS:
            audit.record("audit.exported", context, operator=str(self.operator.pk), kind=kind)
            lines = (_line(entry) for entry in entries[:MOST_EXPORTED].iterator(chunk_size=2000))
            return spreadsheets.download("auditoria", kind, HEADER, lines)
        if data.get("before"):
            entries = entries.filter(pk__lt=data["before"])
        self.entries = list(entries[:PAGE])
        return self.page(form)


def _newest() -> Seal | None:
    return Seal.objects.only("at").order_by("-pk").first()


def _line(entry: Entry) -> list[object]:
    at = entry.at.astimezone(clock.SANTIAGO).strftime("%d-%m-%Y %H:%M:%S")
    detail = " ".join(f"{name}={value}" for name, value in entry.detail.items() if name != "operator")
    operator = str(entry.detail.get("operator", ""))
    return [entry.pk, at, entry.action, entry.outcome, entry.subject, operator, entry.address, entry.agent, detail]


@for_roles(*WATCHERS)
def verify(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Start a verification of the whole chain of seals; the page shows the result."""
    if request.method == "POST":
        audit.record("audit.verified", context_of(request), operator=str(operator.pk))
        tasks.start()
    return HttpResponseRedirect(reverse("backoffice_trail"))


@for_roles(Role.SUPERVISOR)
def workload(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Show the help desk's actions in the last 30 days by day, operator and kind, and the state of the messages."""
    since = _midnight(clock.today() - timedelta(days=29))
    actions = OperatorAction.objects.filter(at__gte=since)
    by_day = {row["day"]: row["n"] for row in actions.values(day=TruncDate("at")).annotate(n=Count("pk"))}
    days = [(since.date() + timedelta(days=n)) for n in range(30)]
    most = max(by_day.values(), default=0) or 1
    kinds = dict(Kind.choices)
    people = actions.values("operator__name", "kind").annotate(n=Count("pk"), last=Max("at"))
    context = {
        "operator": operator,
        "days": [(day, by_day.get(day, 0), by_day.get(day, 0) * 100 // most) for day in days],
        "people": [{**row, "kind": kinds[row["kind"]]} for row in people.order_by("operator__name", "kind")],
        "messages": _messages(),
        "late": late_messages(),
    }
    return show(request, "backoffice/workload.html", context)


def _messages() -> list[dict[str, object]]:
    since = clock.now() - timedelta(days=1)
    names = {State.PENDING: _("en espera"), State.SENT: _("enviados"), State.DEAD: _("vencidos")}
    rows = Message.objects.filter(created_at__gte=since).values("channel", "state").annotate(n=Count("pk"))
    return [{**row, "state": names[State(row["state"])]} for row in rows.order_by("channel", "state")]
