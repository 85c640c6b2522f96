"""The help desk's pages: search, reason for access, account page, actions."""

from datetime import datetime, timedelta
from typing import TypeVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.audit import service as audit
from clave.audit.labels import action_label
from clave.audit.models import Entry
from clave.backoffice import search, service
from clave.backoffice.access import OperatorPage
from clave.backoffice.models import Operator, Reason, Role
from clave.credentials.models import Attempts, TemporaryKey
from clave.credentials.throttling import axes_of_account
from clave.holders.models import Holder
from clave.holders.profiles import CHOOSE
from clave.holders.service import missing_data, sms_number
from clave.lib import clock
from clave.lib.masking import masked_email, masked_phone
from clave.lib.outcome import Flash, Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.selfservice.confirmations import contact_change
from clave.web.forms import ClaveForm, TextField
from clave.web.middleware import context_of

# How long giving a reason grants access to an account.
GRANT = timedelta(minutes=15)
TIMELINE = 50
DESK = (Role.AGENT, Role.SUPERVISOR)


class SearchForm(ClaveForm):
    text = TextField(
        label=_("Buscar"), max_length=120, help_text=_("RUT, NIE, documento, correo o folio. Tecla / para llegar aquí.")
    )

    def adapt(self) -> None:
        super().adapt()
        self.fields["text"].widget.attrs |= {"type": "search", "data-buscar": ""}


class Search(OperatorPage[SearchForm]):
    """The search page: one box for everything. Searches are posted, so that no RUT appears in a URL or log."""

    roles = (Role.AGENT, Role.REVIEWER, Role.SUPERVISOR)
    form_class = SearchForm
    template_name = "backoffice/search.html"
    title = _("Mesa de ayuda")
    button = _("Buscar")
    found: search.Found | None = None

    def context(self) -> dict[str, object]:
        return {**super().context(), "found": self.found, "desk": self.operator.role in DESK}

    def perform(self, form: SearchForm, context: RequestContext) -> HttpResponse:
        self.found = search.find(form.cleaned_data["text"])
        count = len(self.found.holders) + bool(self.found.request) + bool(self.found.statement)
        audit.record("backoffice.searched", context, operator=str(self.operator.pk), count=count)
        return self.page(form)


class ReasonForm(ClaveForm):
    """The reason, required for any access or action."""

    reason = forms.ChoiceField(
        label=_("Motivo"),
        choices=[CHOOSE, *Reason.choices],
        error_messages={"invalid_choice": _("Elija un motivo de la lista.")},
    )
    note = TextField(
        label=_("Detalle o número de caso"),
        max_length=200,
        required=False,
        help_text=_("El titular puede leerlo. No escriba claves ni respuestas."),
    )

    def clean(self) -> dict[str, object]:
        if self.cleaned_data.get("reason") == Reason.OTHER and len(self.cleaned_data.get("note", "")) < 5:
            self.add_error("note", ValidationError(_("Explique el motivo en pocas palabras."), code="note"))
        return self.cleaned_data

    @property
    def why(self) -> service.Why:
        return service.Why(self.cleaned_data["reason"], self.cleaned_data["note"])


ReasonFormT = TypeVar("ReasonFormT", bound=ReasonForm)


class HolderWork(OperatorPage[ReasonFormT]):
    """A page about one holder. All but the first require that a reason was given in the last 15 minutes."""

    roles = DESK
    holder: Holder
    granted = True

    def find(self, **kwargs: object) -> HttpResponse | None:
        self.holder = get_object_or_404(
            Holder.objects.select_related("credential", "secret_answer"), pk=kwargs["holder"]
        )
        if self.granted and not may_see(self.request, self.holder):
            return HttpResponseRedirect(reverse("backoffice_reason", args=[self.holder.pk]))
        return None

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.address if self.granted else reverse("backoffice")

    @property
    def address(self) -> str:
        """Return the URL of the holder's page."""
        return reverse("backoffice_holder", args=[self.holder.pk])

    def context(self) -> dict[str, object]:
        return {**super().context(), "holder": self.holder}


def _is_granted(request: HttpRequest, kind: str, holder: Holder) -> bool:
    until = request.session.get(kind, {}).get(str(holder.pk))
    return bool(until) and datetime.fromisoformat(until) > clock.now()


def may_see(request: HttpRequest, holder: Holder) -> bool:
    return _is_granted(request, "granted", holder)


def _grant(request: HttpRequest, kind: str, holder: Holder) -> None:
    current = {pk: until for pk, until in request.session.get(kind, {}).items() if until > clock.now().isoformat()}
    request.session[kind] = {**current, str(holder.pk): (clock.now() + GRANT).isoformat()}


class GiveReason(HolderWork[ReasonForm]):
    """The page that asks for a reason before anything about an account is shown."""

    form_class = ReasonForm
    granted = False
    title = _("¿Por qué abre esta cuenta?")
    intro = _("Elija el motivo. Queda registrado y el titular puede verlo.")
    button = _("Abrir la cuenta")
    template_name = "backoffice/reason.html"

    def perform(self, form: ReasonForm, context: RequestContext) -> HttpResponse:
        service.see(self.operator, self.holder, form.why, context)
        _grant(self.request, "granted", self.holder)
        return HttpResponseRedirect(self.address)


class Account(HolderWork[ReasonForm]):
    """The account page: state, masked contact, timeline, actions."""

    form_class = ReasonForm
    template_name = "backoffice/holder.html"
    title = _("Cuenta")

    def context(self) -> dict[str, object]:
        holder = self.holder
        page = self.request.GET.get("antes", "")
        entries = Entry.objects.filter(subject=str(holder.pk)).order_by("-pk")
        if page.isdecimal() and len(page) < 15:
            entries = entries.filter(pk__lt=int(page))
        timeline = list(entries[: TIMELINE + 1])
        mobile = sms_number(holder)
        names = {str(pk): name for pk, name in Operator.objects.values_list("pk", "name")}
        return {
            **super().context(),
            "revealed": _is_granted(self.request, "revealed", holder),
            "email": masked_email(holder.email) if holder.email else "",
            "mobile": masked_phone(mobile) if mobile else "",
            "mobile_whole": mobile,
            "missing": missing_data(holder),
            "waits_until": _locked_until(holder),
            "temporary": TemporaryKey.objects.filter(holder=holder, used_at=None, expires_at__gt=clock.now()).first(),
            "timeline": [_described(entry, names) for entry in timeline[:TIMELINE]],
            "more": timeline[TIMELINE - 1].pk if len(timeline) > TIMELINE else None,
            "contact_kept": holder.profile in service.CONTACT_KEPT,
            "questions": settings.SECRET_QUESTIONS,
            "change": contact_change.waiting_for(holder),
        }


def _locked_until(holder: Holder) -> datetime | None:
    rows = Attempts.objects.filter(axis__in=axes_of_account(holder.account), until__gt=clock.now())
    return max((row.until for row in rows if row.until), default=None)


def _described(entry: Entry, names: dict[str, str]) -> tuple[Entry, str, str, str]:
    """Return an entry with its label, the operator's name and the reason."""
    reason = str(entry.detail.get("reason", ""))
    why = f"{dict(Reason.choices).get(reason, reason)} {entry.detail.get('note', '')}".strip()
    return entry, action_label(entry.action), names.get(str(entry.detail.get("operator", "")), ""), why


class HolderAction(HolderWork[ReasonFormT]):
    """An action on an account, with its reason."""

    template_name = "backoffice/action.html"
    changes = True

    def refused(self, form: ReasonFormT, refused: Refused) -> HttpResponse:
        audit.record(
            "backoffice.refused",
            context_of(self.request),
            holder=self.holder,
            outcome=refused.code,
            operator=str(self.operator.pk),
        )
        return super().refused(form, refused)

    def complete(self, form: ReasonFormT, checked: None, context: RequestContext) -> Outcome:
        return Flash(self.act(form, context), self.address)

    def act(self, form: ReasonFormT, context: RequestContext) -> str:
        """Perform the action; return the confirmation message."""
        raise NotImplementedError


class Reveal(HolderAction[ReasonForm]):
    form_class = ReasonForm
    title = _("Ver el contacto completo")
    button = _("Mostrar")

    def act(self, form: ReasonForm, context: RequestContext) -> str:
        service.reveal(self.operator, self.holder, form.why, context)
        _grant(self.request, "revealed", self.holder)
        return str(_("El contacto completo se muestra por 15 minutos."))


class Unlock(HolderAction[ReasonForm]):
    form_class = ReasonForm
    title = _("Desbloquear la clave")
    intro = _(
        "Borra los intentos fallidos: la persona puede intentar otra vez ahora. Usted puede hacerlo una vez al día en "
        "cada cuenta."
    )
    button = _("Desbloquear")

    def act(self, form: ReasonForm, context: RequestContext) -> str:
        service.unlock(self.operator, self.holder, form.why, context)
        return str(_("La clave quedó desbloqueada."))


class SendKey(HolderAction[ReasonForm]):
    form_class = ReasonForm
    title = _("Enviar una clave temporal")
    intro = _("La clave va al correo y al celular registrados. Usted no la ve.")
    button = _("Enviar la clave")

    def act(self, form: ReasonForm, context: RequestContext) -> str:
        until = service.send_key(self.operator, self.holder, form.why, context)
        return str(_("La clave temporal va en camino. Sirve hasta las {until}.")).format(until=until)


class Reviewed(HolderAction[ReasonForm]):
    form_class = ReasonForm
    title = _("Marcar el cambio de correo como revisado")
    button = _("Marcar como revisado")

    def act(self, form: ReasonForm, context: RequestContext) -> str:
        service.review(self.operator, self.holder, form.why, context)
        return str(_("El cambio quedó revisado."))
