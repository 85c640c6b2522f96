"""The protocol's endpoints, and the pages between a platform's request and our answer."""

import secrets
from collections.abc import Iterable
from functools import cache
from html import escape
from typing import TypeVar, cast
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from clave.attendance import sessions
from clave.credentials.service import Proof
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.rce import service
from clave.rce.codes import GLOSAS
from clave.rce.models import Environment, PendingRequest
from clave.rce.replies import Answer
from clave.rce.request import RceRequest, split_url
from clave.signin.reauthentication import KeyPage, LockedRutForm
from clave.web.middleware import POLICY, address_of, context_of
from clave.web.rendering import SeeOther, filled, page_of, put_in, rendered_once, show, stand_ins
from clave.web.templatetags.durations import hours_minutes

Response = TypeVar("Response", bound=HttpResponseBase)
# Set in the browser that delivered a request, only for the path of that request (RFC 6265, section 5.1.4). The form is
# posted from another site, so the browser's other cookies were not sent with it and must not be overwritten.
COOKIE = "canje"


@csrf_exempt
def mark(request: HttpRequest, environment: str, closing: bool) -> HttpResponse:
    """Receive a platform's form: IniciarSesion or, if `closing`, CerrarSesion."""
    if request.method != "POST":
        page = show(request, "rce/for_platforms.html", status=405)
        page.headers["Allow"] = "POST"
        return page
    return received(request, RceRequest(environment, closing, request.POST.dict()))


def received(request: HttpRequest, rce_request: RceRequest) -> HttpResponse:
    """Handle a request: show its sign-in page, or the answer if it is refused.

    There is no redirect to the page, which saves old phones a round trip.
    """
    secret = secrets.token_urlsafe(18)
    pending = service.receive(rce_request, secret, address_of(request))
    if not isinstance(pending, PendingRequest):
        return answer_page(request, pending, rce_request.environment)
    page = PendingRequestPage()
    page.setup(request)
    page.take(pending)
    response = page.hurried(page.get(request))
    response.set_cookie(
        COOKIE, secret, path=page.address, httponly=True, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax"
    )
    return response


_PLACEHOLDER_ID = "0" * 32


@cache
def _exchange_prefix() -> str:
    return reverse("rce_exchange", args=[_PLACEHOLDER_ID])[: -len(_PLACEHOLDER_ID)]


def answer_page(request: HttpRequest, answer: Answer, environment: str) -> HttpResponse:
    """Show the page whose form returns the answer; a script submits errors at once, the participant the rest."""
    glosa = dict(answer["fields"]).get("GlosaError", "")
    codes = [int(code) for code in glosa.split(";") if code]
    about = {"codes": codes, "glosas": [GLOSAS[code] for code in codes], "testing": environment == Environment.TEST}
    parts = split_url(answer["url"])
    if parts is None or 203 in codes:
        return show(request, "rce/nowhere.html", about, status=400)
    values = {
        "answer_url": answer["url"],
        "answer_host": parts.netloc,
        "answer_fields": _hidden(answer["fields"]),
        "answer_page": request.path,
        **{f"fact_{name}": _fact(value) for name, value in answer.get("facts", {}).items()},
    }
    template = f"rce/{answer['kind']}.html"
    context = {**about, **stand_ins(values)}
    if len(codes) > 1:  # too many combinations of codes to cache
        html = _rendered(request, template, context)
    else:
        cache_key = (template, request.method == "GET", glosa, environment)
        html = rendered_once(request, lambda: _rendered(request, template, context), cache_key)
    page = page_of(put_in(html, values))
    page.headers["Content-Security-Policy"] = POLICY.replace("form-action 'self'", f"form-action {_targets(parts)}")
    # The platform may check the Origin of the form; it must not learn the rest of our URL.
    page.headers["Referrer-Policy"] = "strict-origin"
    return page


def _hidden(fields: Iterable[tuple[str, str]]) -> SafeString:
    return SafeString(
        "\n".join(f'<input type="hidden" name="{escape(name)}" value="{escape(text)}">' for name, text in fields)
    )


def _fact(value: object) -> str:
    return hours_minutes(value) if isinstance(value, int) else str(value)


def _rendered(request: HttpRequest, template: str, context: dict[str, object]) -> str:
    """Render a page, with a placeholder also for its own path, which its links to other languages contain."""
    html = render_to_string(template, context, request)
    return html.replace(quote(request.path), str(context["answer_page"])) if request.method == "GET" else html


def _targets(parts: SplitResult) -> str:
    """Return the CSP sources a form may be sent to: the URL's origin and the same host over TLS, as many redirect."""
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin if parts.scheme == "https" else f"{origin} https://{urlsplit(origin).hostname}"


class PendingRequestPage(KeyPage[LockedRutForm]):
    """The page where the participant signs in for a pending request; a changed RUT is answered with 311.

    Only the browser that delivered the request can continue it: it has a cookie that is not sent with another site's
    form, and the URL cannot be guessed. This protects against CSRF as well as the usual token does.
    """

    form_class = LockedRutForm
    template_name = "rce/signin.html"
    pending: PendingRequest

    def take(self, pending: PendingRequest) -> None:
        """Set the pending request this page is for."""
        self.pending = pending
        self.address = _exchange_prefix() + pending.pk
        self.rce_request = service.request_of(pending)

    @property
    def shown(self) -> dict[str, str]:
        """Return the values the page shows about its exchange."""
        return {
            "participant": self.rce_request.run.pretty if self.rce_request.run else "",
            "course": self.pending.course,
            "otec": self.pending.token.otec.name,
            "host": service.host_of(self.pending),
            "posts_to": self.address,
            "here": self.address,
        }

    def dispatch(self, request: HttpRequest, *args: object, pending: str, **kwargs: object) -> HttpResponseBase:
        found = service.find(pending, request.COOKIES.get(COOKIE, ""))
        if found is None:
            return show(request, "rce/gone.html", status=404)
        self.take(found)
        expired = None if found.answer else service.expiry_code(found)
        if expired or (request.method == "POST" and "cancelar" in request.POST):
            service.refuse(found, expired or 312)
        if found.answer:
            return self._answer()
        if service.has_recent_proof(found):
            return self._choice()
        return self.hurried(super().dispatch(request, *args, pending=pending, **kwargs))

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        values = self.shown
        placeholders = stand_ins(values)
        variant = ("rce_signin", self.rce_request.closing, self.rce_request.testing, service.is_strict(self.pending))
        cache_key = (*variant, bool(values["course"]))
        html = rendered_once(request, lambda: self._rendered(values, placeholders), cache_key)
        return page_of(filled(request, put_in(html, values)))

    def _rendered(self, values: dict[str, str], placeholders: dict[str, str]) -> str:
        form = self.make_form(initial={"rut": placeholders["participant"]})
        return self.render_page(form, {name: placeholders[name] if value else "" for name, value in values.items()})

    def hurried(self, response: Response) -> Response:
        """Make the browser reload the page when the time limit of the strict variant is reached."""
        if service.is_strict(self.pending) and not self.pending.answer:
            wait = int(service.STRICT_WAIT.total_seconds()) + 1
            response.headers["Refresh"] = f"{wait}; url={self.address}"
        return response

    @property
    def back_after_change(self) -> str:  # type: ignore[override]
        return self.address

    def context(self) -> dict[str, object]:
        return {
            "title": _("Cerrar sesión en SENCE") if self.rce_request.closing else _("Abrir sesión en SENCE"),
            "intro": _("Escriba su Clave SENCE para registrar su asistencia."),
            "button": _("Cerrar sesión") if self.rce_request.closing else _("Abrir sesión"),
            "testing": self.rce_request.testing,
            "strict": service.is_strict(self.pending),
            "csrf": "",
            **self.shown,
        }

    def proved(self, proof: Proof, typed: dict[str, object], context: RequestContext) -> HttpResponse:
        if typed["rut"] != self.rce_request.run:
            service.refuse(self.pending, 311)
        else:
            service.signed_in(self.pending, proof, context)
        # No redirect needed, which saves old phones a round trip: posting this form again shows the same answer.
        return self._answer() if self.pending.answer else SeeOther(self.address)

    def refused(self, form: LockedRutForm, refused: Refused) -> HttpResponse:
        if refused.code == "wrong_key":
            service.count_failure(self.pending)
            if self.pending.answer:
                return self._answer()
        return super().refused(form, refused)

    def refusal_context(self) -> dict[str, object]:
        return {"return_to": self.address}

    def _answer(self) -> HttpResponse:
        return answer_page(self.request, cast(Answer, self.pending.answer), self.pending.environment)

    def _choice(self) -> HttpResponse:
        """Ask what to do with the session that is still open, then open the new one."""
        active = sessions.active(self.rce_request.enrolment) if self.rce_request.enrolment else None
        choice = self.request.POST.get("anterior", "")
        if self.request.method == "POST" and (choice in ("cerrar", "abandonar") or active is None):
            service.choose(self.pending, choice, context_of(self.request))
            return SeeOther(self.address)
        context = {**self.context(), "before": active.opening if active else None}
        return show(self.request, "rce/choice.html", context)


pending_request_page = csrf_exempt(PendingRequestPage.as_view())
