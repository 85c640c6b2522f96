"""The doors of the protocol, and the pages between a platform's request and our answer."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from clave.attendance import service, sessions
from clave.attendance.answers import Answer
from clave.attendance.glosas import GLOSAS
from clave.attendance.models import Environment, Exchange
from clave.attendance.request import MarkRequest, split_url
from clave.core.forms import CaptchaField, ClaveForm
from clave.core.middleware import POLICY, visit_of
from clave.core.outcome import Outcome, Refused
from clave.core.pages import show
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
    fields = dict(answer["fields"])
    codes = [int(code) for code in fields.get("GlosaError", "").split(";") if code]
    context = {
        **answer,
        **answer.get("facts", {}),
        "codes": codes,
        "glosas": [GLOSAS[code] for code in codes],
        "testing": environment == Environment.TEST,
    }
    parts = split_url(answer["url"])
    if parts is None or 203 in codes:
        return show(request, "attendance/nowhere.html", context, status=400)
    context["host"] = parts.netloc
    page = show(request, f"attendance/{answer['kind']}.html", context)
    page.headers["Content-Security-Policy"] = POLICY.replace("form-action 'self'", f"form-action {_targets(parts)}")
    # The platform may look at the Origin of what it gets; of our address it learns no more.
    page.headers["Referrer-Policy"] = "strict-origin"
    return page


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


class ExchangeCaptchaForm(ExchangeForm):
    captcha = CaptchaField()


class ExchangePage(SignIn):
    """The participant signs in for the request that waits."""

    form_class = ExchangeForm
    captcha_form_class = ExchangeCaptchaForm
    template_name = "attendance/signin.html"
    blank_is_shared = False
    exchange: Exchange

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = service.find(kwargs["exchange"], visit_of(request))
        if found is None:
            return show(request, "attendance/gone.html", status=404)
        self.exchange = found
        self.asked = service.request_of(found)
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
        return self.page(self.make_form(initial={"rut": self.asked.run.pretty if self.asked.run else ""}))

    @property
    def back_after_change(self) -> str:  # type: ignore[override]
        return self.request.path

    def context(self) -> dict[str, Any]:
        return {
            "title": _("Cerrar sesión en SENCE") if self.asked.closing else _("Abrir sesión en SENCE"),
            "intro": _("Escriba su Clave SENCE para registrar su asistencia."),
            "button": _("Cerrar sesión") if self.asked.closing else _("Abrir sesión"),
            "exchange": self.exchange,
            "body": self.exchange.token.body.name,
            "host": service.host_of(self.exchange),
            "testing": self.asked.testing,
            "strict": service.is_strict(self.exchange),
        }

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        self.typed = form.cleaned_data["rut"]
        return super().perform(form, visit)

    def proved(self, proof: Proof, visit: Visit) -> HttpResponse:
        if self.typed != self.asked.run:
            service.refuse(self.exchange, 311)
        else:
            self._try(lambda: service.signed_in(self.exchange, proof, visit))
        return SeeOther(self.request.path)

    def refused(self, form: ClaveForm, refused: Refused) -> HttpResponse:
        if refused.code == "wrong_key":
            service.count_failure(self.exchange)
            if self.exchange.answer:
                return SeeOther(self.request.path)
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
