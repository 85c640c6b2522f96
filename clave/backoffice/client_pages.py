"""Pages about the systems that rely on Clave for sign-in: list, settings, new, change."""

import json
from dataclasses import dataclass
from typing import ClassVar

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.backoffice.access import OperatorPage, for_roles
from clave.backoffice.client_forms import ClientForm, initial
from clave.backoffice.models import Operator, Role
from clave.holders.models import Profile
from clave.lib.outcome import Flash, Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.sso import claims, client_rules, clients
from clave.sso.models import Client
from clave.web.form_pages import FormT
from clave.web.rendering import show

READERS = (Role.SUPERVISOR, Role.AUDITOR)
PAGE = 50


@dataclass(frozen=True)
class ClientCreated(Outcome):
    """A client was created; the outcome's secret is its secret, if it has one."""

    kind: ClassVar[str] = "client_created"
    name: str
    client_id: str
    has_secret: bool


@for_roles(*READERS)
def listing(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List the clients, found by name, `client_id`, contact or site."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:120]
    page = Paginator(clients.search(text), PAGE).get_page(request.GET.get("pagina"))
    return show(request, "backoffice/clients.html", {"operator": operator, "found": page, "text": text})


@for_roles(*READERS)
def client_page(request: HttpRequest, operator: Operator, client_id: str) -> HttpResponse:
    """Show a client with all its settings, its valid secrets, and what can be done."""
    client = get_object_or_404(Client, client_id=client_id)
    context = {
        "operator": operator,
        "client": client,
        "told": [claims.SCOPES[scope][1] for scope in client.scopes if scope in claims.SCOPES],
        "profiles": [Profile(profile).label for profile in client.profiles],
        "secrets": clients.valid_secrets(client),
        "jwks": json.dumps(client.jwks, indent=2) if client.jwks else "",
        "changes": operator.role == Role.SUPERVISOR,
    }
    return show(request, "backoffice/client.html", context)


@for_roles(*READERS)
def settings_file(request: HttpRequest, operator: Operator, client_id: str) -> HttpResponse:
    """Return a client's settings as JSON. No secret is among them."""
    client = get_object_or_404(Client, client_id=client_id)
    settings = {"client_id": client.client_id, "active": client.active, **client_rules.settings_of(client)}
    disposition = f'attachment; filename="{client.client_id}.json"'
    text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    return HttpResponse(text, content_type="application/json", headers={"Content-Disposition": disposition})


class ClientWork(OperatorPage[FormT]):
    """A page that changes a client."""

    roles = (Role.SUPERVISOR,)
    changes = True
    client: Client

    def find(self, **kwargs: object) -> HttpResponse | None:
        self.client = get_object_or_404(Client, client_id=kwargs["client_id"])
        return None

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("backoffice_client", args=[self.client.client_id])

    def context(self) -> dict[str, object]:
        return {**super().context(), "client": self.client}


class NewClient(OperatorPage[ClientForm]):
    """The form to register a client."""

    roles = (Role.SUPERVISOR,)
    form_class = ClientForm
    title = _("Registrar un sistema")
    intro = _("Un sistema que quiere que las personas entren con su Clave SENCE.")
    button = _("Registrar")
    back = "/backoffice/sistemas"
    changes = True

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        usual = Client(scopes=["openid", "profile", "run", "email"])
        return self.page(self.make_form(initial=initial(usual)))

    def complete(self, form: ClientForm, checked: None, context: RequestContext) -> Outcome:
        client = Client(**form.settings)
        secret = clients.create(client, context, str(self.operator.pk))
        return ClientCreated(client.name, client.client_id, bool(secret), secret=secret)

    def refused(self, form: ClientForm, refused: Refused) -> HttpResponse:
        return _refused(self, form, refused)


class ChangeClient(ClientWork[ClientForm]):
    """The form to change a client's settings."""

    form_class = ClientForm
    title = _("Cambiar un sistema")
    button = _("Guardar")

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        return self.page(self.make_form(initial=initial(self.client)))

    def complete(self, form: ClientForm, checked: None, context: RequestContext) -> Outcome:
        clients.update(self.client, form.settings, context, str(self.operator.pk))
        return Flash(str(_("Los cambios quedaron guardados.")), self.back)

    def refused(self, form: ClientForm, refused: Refused) -> HttpResponse:
        return _refused(self, form, refused)


def _refused(page: NewClient | ChangeClient, form: ClientForm, refused: Refused) -> HttpResponse:
    """Show each broken rule beside its field."""
    if isinstance(refused, clients.Unfit):
        form.show_problems(refused.problems)
    else:
        form.show_refusal(refused)
    return page.page(form, status=refused.status)
