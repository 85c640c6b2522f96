"""RTS: a training body's tokens, and where its answers may go. Source: wire.md, section 2."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.audit import service as audit
from clave.holders.models import Profile
from clave.holders.profiles import COMPANY
from clave.lib.outcome import Outcome
from clave.lib.request_context import Visit
from clave.signin.login_required import current_holder, to_sign_in
from clave.signin.views import SignIn
from clave.training import return_hosts, tokens
from clave.training.models import Body, Token
from clave.web import idempotency
from clave.web.forms import ClaveForm, TextField
from clave.web.middleware import visit_of
from clave.web.pages import FormPage, show


def body_of(request: HttpRequest) -> Body | HttpResponse:
    """Return the training body signed in in this browser, or the page that says what is missing."""
    holder = current_holder(request)
    if holder is None or holder.profile != Profile.PERSONA_JURIDICA:
        return to_sign_in(request, "rts_signin")
    found = Body.objects.filter(rut=holder.identifier).first()
    if found is None:
        return show(request, "otec_portal/no_body.html", {"company": holder}, status=403)
    request.holder = holder  # type: ignore[attr-defined]
    return found


def for_body(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Give a view the training body that is signed in."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        body = body_of(request)
        return body if isinstance(body, HttpResponse) else view(request, body, *args, **kwargs)

    return wrapped


class BodyPage(FormPage):
    """A form page of the training body that is signed in."""

    body: Body
    back = "/rts"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        body = body_of(request)
        if isinstance(body, HttpResponse):
            return body
        self.body = body
        return super().dispatch(request, *args, **kwargs)


class RtsSignIn(SignIn):
    cached_blank = True
    door = COMPANY

    def context(self) -> dict[str, Any]:
        context = super().context()
        back = reverse("rts") if context["back_to"] == reverse("account") else context["back_to"]
        return {**context, "doors": [], "back_to": back}


@dataclass(frozen=True)
class TokenMade(Outcome):
    """A token was made; its characters are the outcome's secret."""

    kind: ClassVar[str] = "token_made"
    label: str


class NewTokenForm(ClaveForm):
    label = TextField(
        label=_("Nombre del token"),
        max_length=60,
        help_text=_("Para reconocerlo. Ejemplo: Aula virtual, servidor nuevo."),
    )


class Rts(BodyPage):
    """The body's tokens, and a form for another one."""

    form_class = NewTokenForm
    template_name = "otec_portal/rts.html"
    title = _("Registro de tokens (RTS)")
    button = _("Crear token")
    changes = True
    back = "/"

    def context(self) -> dict[str, Any]:
        rows = [(token, tokens.is_live(token)) for token in self.body.tokens.order_by("-created_at")]
        return {"body": self.body, "tokens": rows, "narrow": settings.RCE_RETURN_HOSTS == "registered"}

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        with transaction.atomic():
            _token, text = tokens.issue(self.body, form.cleaned_data["label"])
            outcome = TokenMade(label=form.cleaned_data["label"], secret=text)
            audit.record("token.made", visit, holder=self.request.holder)  # type: ignore[attr-defined]
            idempotency.finish(visit, outcome)
        return outcome


class RevokeForm(ClaveForm):
    """Nothing to fill in: the page asks, its button answers."""


class Revoke(BodyPage):
    """Ask before one of the body's tokens is revoked: whatever platform uses it stops at once."""

    form_class = RevokeForm
    template_name = "otec_portal/revoke.html"
    title = _("Revocar un token")
    button = _("Sí, revocar")
    token: Token

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        body = body_of(request)
        if isinstance(body, HttpResponse):
            return body
        token = Token.objects.filter(body=body, pk=kwargs["token"], revoked_at=None).first()
        if token is None:
            return HttpResponseRedirect(reverse("rts"))
        self.token = token
        return super().dispatch(request, *args, **kwargs)

    def context(self) -> dict[str, Any]:
        return {"token": self.token}

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        with transaction.atomic():
            tokens.revoke(self.token)
            audit.record("token.revoked", visit, holder=self.request.holder)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("rts"))


class HostsForm(ClaveForm):
    hosts = TextField(
        label=_("Sitios de su plataforma"),
        max_length=500,
        required=False,
        help_text=_("Separados por espacios. Ejemplo: aula.ejemplo.cl campus.ejemplo.cl"),
    )

    def clean_hosts(self) -> list[str]:
        return return_hosts.parse(self.cleaned_data["hosts"])


class Hosts(BodyPage):
    """Where this body's answers may go when the installation narrows that down, and whether they carry a receipt."""

    form_class = HostsForm
    title = _("Sitios a los que puede volver el participante")
    intro = _("Si esta instalación lo exige, las respuestas solo se envían a estos sitios.")
    button = _("Guardar")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.page(self.make_form(initial={"hosts": " ".join(self.body.return_hosts)}))

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        with transaction.atomic():
            Body.objects.filter(pk=self.body.pk).update(return_hosts=form.cleaned_data["hosts"])
            audit.record("body.hosts", visit, holder=self.request.holder)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("rts"))


@for_body
def receipts(request: HttpRequest, body: Body) -> HttpResponse:
    """Turn the signed receipt beside the documented fields on or off."""
    if request.method == "POST":
        with transaction.atomic():
            Body.objects.filter(pk=body.pk).update(receipts=request.POST.get("recibos") == "si")
            audit.record("body.receipts", visit_of(request), holder=request.holder)  # type: ignore[attr-defined]
    return HttpResponseRedirect(reverse("rts"))
