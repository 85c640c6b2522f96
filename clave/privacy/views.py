"""Mis datos: data held, access history, downloads, requests for correction or deletion; the desk's answers."""

import json
from pathlib import Path

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clave.audit import service as audit
from clave.backoffice.access import OperatorPage, for_roles
from clave.backoffice.models import Operator, Reason, Role
from clave.backoffice.review_pages import DecisionForm
from clave.backoffice.service import Why, require_no_part, see
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.outcome import Flash, Outcome
from clave.lib.request_context import RequestContext
from clave.privacy import data_export, service
from clave.privacy.labels import in_words, word
from clave.privacy.models import Answer, Petition, Right
from clave.signin.login_required import HolderPage, for_holder
from clave.statements.paper import pressed
from clave.web.errors import error_page
from clave.web.forms import ClaveForm, SecretField, TextField
from clave.web.middleware import context_of
from clave.web.rendering import show

_HELD = Path(__file__).parent / "held.typ"
DECIDERS = (Role.SUPERVISOR,)


@for_holder()
def held(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Show holders all data held about them and who accessed it."""
    parts = data_export.everything(holder)
    looked = parts.pop("quién vio o cambió sus datos")
    flat = {name: value for name, value in parts.items() if isinstance(value, dict)}
    lists = {name: value for name, value in parts.items() if isinstance(value, list)}
    return show(request, "privacy/held.html", {"holder": holder, "looked": looked, "flat": flat, "lists": lists})


@for_holder()
def download(request: HttpRequest, holder: Holder, kind: str) -> HttpResponse:
    """Send holders all data held about them, as machine-readable JSON or as PDF."""
    if kind not in ("json", "pdf"):
        return error_page(request, 404)
    parts = data_export.everything(holder)
    if kind == "json":
        response = HttpResponse(json.dumps(parts, ensure_ascii=False, indent=2), content_type="application/json")
    else:
        now = clock.now()
        data = {
            "title": f"{_now('Mis datos en Clave SENCE')}: {holder.display_name}",
            "intro": _now("Todo lo que Clave SENCE guarda sobre usted y quién lo ha visto."),
            "made": now.astimezone(clock.SANTIAGO).strftime("%d-%m-%Y %H:%M"),
            "parts": [(word(name), in_words(part)) for name, part in parts.items()],
        }
        pdf = pressed(_HELD, [{"data": data, "timestamp": int(now.timestamp())}])[0]
        if pdf is None:
            return error_page(request, 503)
        response = HttpResponse(pdf, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="mis-datos.{kind}"'
    audit.record("privacy.downloaded", context_of(request), holder=holder, kind=kind)
    return response


class AskForm(ClaveForm):
    right = forms.ChoiceField(
        label=_("¿Qué pide?"),
        choices=Right.choices,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Elija una opción de la lista.")},
    )
    words = TextField(
        label=_("Explique qué está mal o por qué"),
        max_length=500,
        required=False,
        help_text=_("Si pide corregir, diga qué dato y cuál es el correcto."),
    )
    key = SecretField(label=_("Clave SENCE"), autocomplete="current-password")

    def clean(self) -> dict[str, object]:
        data = self.cleaned_data
        if data.get("right") == Right.CORRECTION and len(data.get("words", "")) < 5:
            self.refuse("required", _now("Diga qué dato está mal y cuál es el correcto."), "words")
        return data


class Ask(HolderPage[AskForm]):
    form_class = AskForm
    template_name = "privacy/ask.html"
    title = _("Corregir o eliminar mis datos")
    intro = _("Una persona de SENCE revisa su solicitud y le responde por correo en un máximo de 30 días.")
    button = _("Enviar la solicitud")
    back = "/mi-cuenta/mis-datos"
    changes = True

    def context(self) -> dict[str, object]:
        return {"person": self.holder.profile in service.PERSONS}

    def check(self, form: AskForm, context: RequestContext) -> None:
        service.check(self.holder, form.cleaned_data["right"], form.cleaned_data["key"], context)

    def complete(self, form: AskForm, checked: None, context: RequestContext) -> Outcome:
        return service.ask(self.holder, form.cleaned_data["right"], form.cleaned_data["words"], context)


@for_roles(*DECIDERS)
def petitions(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List holders' pending requests about their data, oldest first."""
    pending = Petition.objects.filter(state=Answer.PENDING).select_related("holder").order_by("pk")[:200]
    return show(request, "privacy/petitions.html", {"operator": operator, "petitions": pending, "days": service.DAYS})


class Decide(OperatorPage[DecisionForm]):
    """The page to answer a request; a granted deletion is carried out at once."""

    roles = DECIDERS
    form_class = DecisionForm
    template_name = "privacy/petition.html"
    title = _("Solicitud sobre datos personales")
    button = _("Guardar la decisión")
    back = "/backoffice/datos"

    changes = True

    def find(self, **kwargs: object) -> HttpResponse | None:
        petitions = Petition.objects.filter(holder__isnull=False).select_related("holder")
        self.petition = get_object_or_404(petitions, pk=kwargs["pk"])
        return None

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        why = Why(Reason.REQUEST, str(self.petition.get_right_display()))
        see(self.operator, self.petition.holder, why, context_of(request))  # type: ignore[arg-type]
        return super().get(request, **kwargs)

    def context(self) -> dict[str, object]:
        return {**super().context(), "petition": self.petition}

    def complete(self, form: DecisionForm, checked: None, context: RequestContext) -> Outcome:
        data, operator = form.cleaned_data, str(self.operator.pk)
        require_no_part(self.operator, self.petition.holder)  # type: ignore[arg-type]
        if data["decision"] == "si":
            service.grant(self.petition, data["reason"], operator, context)
        else:
            service.refuse(self.petition, data["reason"], operator, context)
        return Flash(_now("La solicitud quedó resuelta."), self.back)
