"""The account pages: personal data, open sessions, sign-out."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View

from clave.audit import service as audit
from clave.credentials.throttling import browser_axis
from clave.holders.models import Holder
from clave.signin import service
from clave.signin.login_required import current_holder, for_holder
from clave.signin.models import Session
from clave.web.middleware import context_of
from clave.web.rendering import show

SESSIONS_A_PAGE = 20


@for_holder()
def account(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Show the holder's data and links to everything else. This is the landing page after sign-in."""
    return show(request, "signin/account.html", {"holder": holder})


@for_holder()
def account_sessions(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Show the holder's open sessions, paginated, and the latest sign-ins."""
    sessions = Session.objects.filter(holder=holder).order_by("-created_at", "pk")
    context = {
        "signins": service.last_signins(holder),
        "sessions": Paginator(sessions, SESSIONS_A_PAGE).get_page(request.GET.get("pagina")),
        "here_key": request.session.session_key,
        "closed": "cerradas" in request.GET,
    }
    return show(request, "signin/account_sessions.html", context)


class CloseOthers(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        holder = current_holder(request)
        if holder is None:
            return HttpResponseRedirect(reverse("signin"))
        ended, _per_model = Session.objects.filter(holder=holder).exclude(pk=request.session.session_key).delete()
        # Ending a browser's session also revokes the holder's trust in that browser.
        here = browser_axis(holder.account, context_of(request))
        holder.known_browsers.exclude(axis=here).delete()
        audit.record("sessions.closed", context_of(request), holder=holder, count=ended)
        return HttpResponseRedirect(reverse("account_sessions") + "?cerradas=1")

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_sessions"))
