"""The holder's page about the systems connected to the account: what they know, since when, and how to end it."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View

from clave.holders.models import Holder
from clave.lib import clock
from clave.signin.login_required import current_holder, for_holder, to_sign_in
from clave.sso import claims, consents
from clave.sso.models import Client, Consent, Grant
from clave.web.middleware import context_of
from clave.web.rendering import show

DELIVERIES_A_PAGE = 20


@for_holder()
def systems(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Show the connected systems, and when each has received the holder's data."""
    connected = Consent.objects.filter(holder=holder, expires_at__gt=clock.now()).select_related("client")
    received = Grant.objects.filter(holder=holder, code_used_at__isnull=False).select_related("client")
    page = Paginator(received.order_by("-created_at"), DELIVERIES_A_PAGE).get_page(request.GET.get("pagina"))
    context = {
        "systems": [(each, in_words(each.scopes, each.claims)) for each in connected.order_by("client__name")],
        "received": page,
        "told": [(grant, in_words(grant.scope_list, [])) for grant in page],
        "disconnected": "quitado" in request.GET,
    }
    return show(request, "sso/connected.html", context)


def in_words(scopes: list[str], single_claims: list[str]) -> list[object]:
    """Return what a client may know, in the words in which the person was asked."""
    all_scopes = [*scopes, *(claims.scope_of(name) for name in single_claims)]
    return [claims.SCOPES[scope][1] for scope in claims.ALL if scope in all_scopes]


class Disconnect(View):
    """Withdraws the consent given to a system."""

    def post(self, request: HttpRequest, client_id: str) -> HttpResponse:
        holder = current_holder(request)
        if holder is None:
            return to_sign_in(request)
        client = Client.objects.filter(client_id=client_id).first()
        if client is not None:
            consents.withdraw(holder, client, context_of(request))
        return HttpResponseRedirect(reverse("connected_systems") + "?quitado=1")

    def get(self, request: HttpRequest, client_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("connected_systems"))
