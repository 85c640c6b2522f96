"""RTS: a training body's tokens and allowed return hosts. Source: rce-protocol.md, section 2."""

from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.audit import service as audit
from clave.credentials.service import Proof
from clave.holders.profiles import COMPANY
from clave.lib.outcome import Outcome
from clave.lib.request_context import RequestContext
from clave.otec_portal import service
from clave.otec_portal.access import OtecAccount, OtecPage, for_otec, signed_in_otec
from clave.signin.login_required import enter, return_path
from clave.signin.reauthentication import KeyForm, KeyPage
from clave.training import return_hosts, tokens
from clave.training.models import Token
from clave.web.forms import ClaveForm, TextField
from clave.web.middleware import context_of


class RtsSignIn(KeyPage[KeyForm]):
    """The training bodies' sign-in page: a company signs in and continues to the RTS."""

    form_class = KeyForm

    cached_blank = True
    config = COMPANY
    template_name = "signin/signin.html"
    button = _("Ingresar")

    def context(self) -> dict[str, object]:
        title = gettext("Ingresar como {who}").format(who=self.config.title)
        return {"title": title, "intro": self.needs(), "back_to": return_path(self.request, reverse("rts"))}

    def proved(self, proof: Proof, typed: dict[str, object], context: RequestContext) -> HttpResponse:
        enter(self.request, proof, context)
        return HttpResponseRedirect(return_path(self.request, reverse("rts")))


@dataclass(frozen=True)
class TokenMade(Outcome):
    """A token was created; the outcome's secret is the token itself."""

    kind: ClassVar[str] = "token_made"
    label: str


class NewTokenForm(ClaveForm):
    label = TextField(
        label=_("Nombre del token"),
        max_length=60,
        help_text=_("Para reconocerlo. Ejemplo: Aula virtual, servidor nuevo."),
    )


class Rts(OtecPage[NewTokenForm]):
    """The list of the OTEC's tokens, with a form to create one."""

    form_class = NewTokenForm
    template_name = "otec_portal/rts.html"
    title = _("Registro de tokens (RTS)")
    button = _("Crear token")
    changes = True
    back = "/"

    def context(self) -> dict[str, object]:
        rows = [(token, tokens.is_live(token)) for token in self.otec.tokens.order_by("-created_at")]
        return {"otec": self.otec, "tokens": rows, "narrow": settings.RCE_RETURN_HOSTS == "registered"}

    def complete(self, form: NewTokenForm, checked: None, context: RequestContext) -> Outcome:
        _token, text = tokens.issue(self.otec, form.cleaned_data["label"])
        audit.record("token.made", context, holder=self.holder)
        return TokenMade(label=form.cleaned_data["label"], secret=text)


class RevokeForm(ClaveForm):
    """A form without fields: only a confirmation button."""


class Revoke(OtecPage[RevokeForm]):
    """The confirmation page before a token is revoked: any platform using it stops working at once."""

    form_class = RevokeForm
    template_name = "otec_portal/revoke.html"
    title = _("Revocar un token")
    button = _("Sí, revocar")
    token: Token

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        account = signed_in_otec(request)
        if isinstance(account, HttpResponse):
            return account
        token = Token.objects.filter(otec=account.otec, pk=str(kwargs["token"]), revoked_at=None).first()
        if token is None:
            return HttpResponseRedirect(reverse("rts"))
        self.token = token
        return super().dispatch(request, *args, **kwargs)

    def context(self) -> dict[str, object]:
        return {"token": self.token}

    def perform(self, form: RevokeForm, context: RequestContext) -> HttpResponse:
        service.revoke_token(self.token, self.holder, context)
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


class Hosts(OtecPage[HostsForm]):
    """The page to set the OTEC's return hosts, enforced if the installation restricts answers to registered hosts."""

    form_class = HostsForm
    title = _("Sitios a los que puede volver el participante")
    intro = _("Si esta instalación lo exige, las respuestas solo se envían a estos sitios.")
    button = _("Guardar")

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        return self.page(self.make_form(initial={"hosts": " ".join(self.otec.return_hosts)}))

    def perform(self, form: HostsForm, context: RequestContext) -> HttpResponse:
        service.set_return_hosts(self.otec, form.cleaned_data["hosts"], self.holder, context)
        return HttpResponseRedirect(reverse("rts"))


@for_otec
def receipts(request: HttpRequest, account: OtecAccount) -> HttpResponse:
    """Turn the signed receipt, sent in addition to the documented fields, on or off."""
    if request.method == "POST":
        enabled = request.POST.get("recibos") == "si"
        service.set_receipts(account.otec, enabled, account.holder, context_of(request))
    return HttpResponseRedirect(reverse("rts"))
