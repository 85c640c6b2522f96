"""The doors of the protocol, and the pages between a platform's request and our answer."""

from typing import Any
from urllib.parse import quote, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from clave.attendance import service, sessions
from clave.attendance.answers import Answer
from clave.attendance.glosas import GLOSAS
from clave.attendance.models import Environment, Exchange
from clave.attendance.request import MarkRequest, split_url
from clave.core.forms import ClaveForm
from clave.core.middleware import POLICY, visit_of
from clave.core.outcome import Refused
from clave.core.pages import filled, put_in, rendered_once, show, stand_ins
from clave.core.templatetags.tiempo import hours_minutes
from clave.core.visit import Visit
from clave.keys.service import Proof
from clave.signin.views import SignIn, SignInForm


class SeeOther(HttpResponseRedirect):
    """Go on with a GET (RFC 9110, section 15.4.4): only then do a SameSite=Lax browser's cookies come along."""

    status_code = 303


@csrf_exempt
def mark(request: HttpRequest, environment: str, closing: bool) -> HttpResponse:
    """Take a platform's form: IniciarSesion or, `closing`, CerrarSesion."""
    if request.method != "POST":
        page = show(request, "attendance/for_platforms.html", status=405)
        page.headers["Allow"] = "POST"
        return page
    received = service.receive(MarkRequest(environment, closing, request.POST.dict()))
    if isinstance(received, Exchange):
        return SeeOther(reverse("rce_exchange", args=[received.pk]))
    return answer_page(request, received, environment)


def answer_page(request: HttpRequest, answer: Answer, environment: str) -> HttpResponse:
    """Show the page whose form carries the answer back; a script sends an error at once, a person sends the rest."""
    glosa = dict(answer["fields"]).get("GlosaError", "")
    codes = [int(code) for code in glosa.split(";") if code]
    about = {"codes": codes, "glosas": [GLOSAS[code] for code in codes], "testing": environment == Environment.TEST}
    parts = split_url(answer["url"])
    if parts is None or 203 in codes:
        return show(request, "attendance/nowhere.html", about, status=400)
    values = {
        "answer_url": answer["url"],
        "answer_host": parts.netloc,
        "answer_fields": format_html_join("\n", '<input type="hidden" name="{}" value="{}">', answer["fields"]),
        "answer_page": request.path,
        **{f"fact_{name}": _fact(value) for name, value in answer.get("facts", {}).items()},
    }
    template = f"attendance/{answer['kind']}.html"
    context = {**about, **stand_ins(values)}
    if len(codes) > 1:  # of the ways to join codes there are too many to keep
        html = _shaped(request, template, context)
    else:
        shape = (template, request.method == "GET", glosa, environment)
        html = rendered_once(request, lambda: _shaped(request, template, context), shape)
    page = HttpResponse(put_in(html, values))
    page.headers["Content-Security-Policy"] = POLICY.replace("form-action 'self'", f"form-action {_targets(parts)}")
    # The platform may look at the Origin of what it gets; of our address it learns no more.
    page.headers["Referrer-Policy"] = "strict-origin"
    return page


def _fact(value: Any) -> str:
    return hours_minutes(value) if isinstance(value, int) else str(value)


def _shaped(request: HttpRequest, template: str, context: dict[str, Any]) -> str:
    """Render a page whose own address, which stands in its links to other languages, is a stand-in too."""
    html = render_to_string(template, context, request)
    return html.replace(quote(request.path), context["answer_page"]) if request.method == "GET" else html


def _targets(parts: Any) -> str:
    """Return the sources a form may be sent to: the address's origin, and its host over TLS, where many lead on."""
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if parts.scheme == "https" else f"{origin} https://{urlsplit(origin).hostname}"


class ExchangeForm(SignInForm):
    """The participant's RUT is filled in and cannot be changed; whoever changes it nevertheless gets 311."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rut"].help_text = ""
        self.fields["rut"].widget.attrs |= {"readonly": "", "aria-readonly": "true"}
        self.fields["rut"].widget.attrs.pop("aria-describedby", None)


class ExchangePage(SignIn):
    """The participant signs in for the request that waits."""

    form_class = ExchangeForm
    template_name = "attendance/signin.html"
    blank_is_shared = False
    exchange: Exchange

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = service.find(kwargs["exchange"], visit_of(request))
        if found is None:
            return show(request, "attendance/gone.html", status=404)
        self.exchange = found
        self.asked = service.request_of(found)
        self.shown = {
            "participant": self.asked.run.pretty if self.asked.run else "",
            "course": found.course,
            "body": found.token.body.name,
            "host": service.host_of(found),
            "page": request.path,
        }
        late = None if found.answer else service.overdue(found)
        if late or (request.method == "POST" and "cancelar" in request.POST):
            service.refuse(found, late or 312)
        if found.answer:
            return self._answer()
        if service.may_choose(found):
            return self._choice()
        response = super().dispatch(request, *args, **kwargs)
        if service.is_strict(found) and not found.answer:
            response.headers["Refresh"] = str(int(service.STRICT_WAIT.total_seconds()) + 1)
        return response

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        values = {name: str(value) for name, value in self.shown.items()}
        names = stand_ins(values)
        shape = ("rce_signin", self.asked.closing, self.asked.testing, service.is_strict(self.exchange))
        html = rendered_once(request, lambda: self._shape(names), (*shape, bool(self.shown["course"])))
        return HttpResponse(filled(request, put_in(html, values)))

    def _shape(self, names: dict[str, str]) -> str:
        shown, self.shown = self.shown, {name: names[name] if value else "" for name, value in self.shown.items()}
        html = self.render_page(self.make_form(initial={"rut": names["participant"]}))
        self.shown = shown
        return html.replace(quote(self.request.path), names["page"])

    @property
    def back_after_change(self) -> str:  # type: ignore[override]
        return self.request.path

    def context(self) -> dict[str, Any]:
        return {
            "title": _("Cerrar sesión en SENCE") if self.asked.closing else _("Abrir sesión en SENCE"),
            "intro": _("Escriba su Clave SENCE para registrar su asistencia."),
            "button": _("Cerrar sesión") if self.asked.closing else _("Abrir sesión"),
            "testing": self.asked.testing,
            "strict": service.is_strict(self.exchange),
            **self.shown,
        }

    def proved(self, proof: Proof, visit: Visit) -> HttpResponse:
        if self.typed["rut"] != self.asked.run:
            service.refuse(self.exchange, 311)
        else:
            self._try(lambda: service.signed_in(self.exchange, proof, visit))
        # Posting this form again shows the same answer, so it may stand here: one visit less for an old phone.
        return self._answer() if self.exchange.answer else SeeOther(self.request.path)

    def refused(self, form: ClaveForm, refused: Refused) -> HttpResponse:
        if refused.code == "wrong_key":
            service.count_failure(self.exchange)
            if self.exchange.answer:
                return self._answer()
        return super().refused(form, refused)

    def refusal_context(self) -> dict[str, Any]:
        return {"return_to": self.request.path}

    def _answer(self) -> HttpResponse:
        return answer_page(self.request, self.exchange.answer or {}, self.exchange.environment)

    def _choice(self) -> HttpResponse:
        """Ask what becomes of the session that is open, then open the new one."""
        before = sessions.running(self.asked.enrolment) if self.asked.enrolment else None
        chosen = self.request.POST.get("anterior", "")
        if self.request.method == "POST" and (chosen in ("cerrar", "abandonar") or before is None):
            self._try(lambda: service.choose(self.exchange, chosen, visit_of(self.request)))
            return SeeOther(self.request.path)
        context = {**self.context(), "before": before.opening if before else None}
        return show(self.request, "attendance/choice.html", context)

    def _try(self, carry_out: Any) -> None:
        try:
            carry_out()
        except service.StillOpen:
            return
