"""Pages of the simulated ClaveÚnica and Clave Tributaria: choose who signs in, sign out."""

from typing import Unpack

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.lib.request_context import RequestContext
from clave.lib.rut import dotted
from clave.sandbox.openid import PASSWORD, PROVIDERS, Provider
from clave.signin.doors import offered
from clave.web.errors import error_page
from clave.web.form_pages import FormPage
from clave.web.forms import ClaveForm, FormArguments, Initial, SecretField, Typed


class AccountForm(ClaveForm):
    """Who signs in, and the password that all of them have."""

    rut = forms.ChoiceField(
        label=_("Quién ingresa"),
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Elija quién ingresa.")},
    )
    password = SecretField(label=_("Clave"), autocomplete="off")

    def __init__(self, provider: Provider, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        people = provider.accounts.values()
        self.fields["rut"].choices = [(each.rut, f"{dotted(each.rut)} · {each.shown}") for each in people]  # type: ignore[attr-defined]

    def clean_password(self) -> str:
        if self.cleaned_data["password"] != PASSWORD:
            raise ValidationError(gettext("La clave no es correcta."), code="password")
        return PASSWORD


class Authorize(FormPage[AccountForm]):
    """The authorization endpoint: after the right password it sends the browser back with a code."""

    form_class = AccountForm
    template_name = "sandbox/openid.html"
    button = _("Ingresar")
    provider: Provider

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        provider = PROVIDERS.get(str(kwargs["provider"]).replace("-", "_"))
        if provider is None or not provider.accepts(request.GET):
            return error_page(request, 400)
        self.provider = provider
        return super().dispatch(request, *args, **kwargs)

    def make_form(self, data: Typed = None, initial: Initial = None) -> AccountForm:
        return self.form_class(self.provider, data=data, initial=initial, request=self.request)

    def context(self) -> dict[str, object]:
        title = next(door.title for door in offered() if door.prefix == self.provider.name)
        intro = gettext("Solo existe en la demostración. La clave de prueba es «{password}» para todos.")
        return {
            "title": gettext("{door} simulada").format(door=title),
            "intro": intro.format(password=PASSWORD),
            "posts_to": self.request.get_full_path(),
            "cancelled": self.provider.back_with_error(self.request.GET.dict()),
        }

    def perform(self, form: AccountForm, context: RequestContext) -> HttpResponse:
        return HttpResponseRedirect(self.provider.back_with_code(form.cleaned_data["rut"], self.request.GET.dict()))


def log_out(request: HttpRequest, provider: str) -> HttpResponse:
    """Go back to the address in `redirect`, if it is on this site. The provider keeps no session to end."""
    if provider.replace("-", "_") not in PROVIDERS:
        return error_page(request, 404)
    back, own = request.GET.get("redirect", ""), settings.CLAVE_URL.partition("://")[2]
    return HttpResponseRedirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts={own}) else "/")
