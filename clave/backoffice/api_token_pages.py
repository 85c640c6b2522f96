"""Pages about the tokens with which programs manage clients."""

from dataclasses import dataclass
from typing import ClassVar

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.backoffice import api_tokens
from clave.backoffice.access import OperatorPage
from clave.backoffice.client_forms import ApiTokenForm, NoFieldsForm
from clave.backoffice.models import ApiToken, Role
from clave.lib.outcome import Flash, Outcome
from clave.lib.request_context import RequestContext


@dataclass(frozen=True)
class ApiTokenMade(Outcome):
    """A token was created; the outcome's secret is the token itself."""

    kind: ClassVar[str] = "api_token"
    label: str


class ApiTokens(OperatorPage[ApiTokenForm]):
    """The list of all supervisors' tokens, with a form to create one's own."""

    roles = (Role.SUPERVISOR,)
    form_class = ApiTokenForm
    template_name = "backoffice/api_tokens.html"
    title = _("Tokens para programas")
    intro = _("Con un token, un programa registra y cambia sistemas en nombre de usted. Vale un año.")
    button = _("Crear token")
    back = "/backoffice/sistemas"
    changes = True

    def context(self) -> dict[str, object]:
        live = set(api_tokens.live().values_list("pk", flat=True))
        tokens = ApiToken.objects.select_related("operator").order_by("-pk")
        return {**super().context(), "tokens": [(token, token.pk in live) for token in tokens[:200]]}

    def complete(self, form: ApiTokenForm, checked: None, context: RequestContext) -> Outcome:
        label = form.cleaned_data["label"]
        return ApiTokenMade(label, secret=api_tokens.issue(self.operator, label, context))


class RevokeApiToken(OperatorPage[NoFieldsForm]):
    """The confirmation page before a token is revoked."""

    roles = (Role.SUPERVISOR,)
    form_class = NoFieldsForm
    template_name = "backoffice/api_token_revoke.html"
    title = _("Revocar un token")
    intro = _("El programa que lo usa deja de poder cambiar sistemas de inmediato.")
    button = _("Sí, revocar")
    back = "/backoffice/sistemas/tokens"
    changes = True
    token: ApiToken

    def find(self, **kwargs: object) -> HttpResponse | None:
        self.token = get_object_or_404(ApiToken.objects.select_related("operator"), pk=kwargs["pk"])
        return None

    def context(self) -> dict[str, object]:
        return {**super().context(), "token": self.token}

    def complete(self, form: NoFieldsForm, checked: None, context: RequestContext) -> Outcome:
        api_tokens.revoke(self.token, self.operator, context)
        return Flash(str(_("El token quedó revocado.")), reverse("backoffice_api_tokens"))
