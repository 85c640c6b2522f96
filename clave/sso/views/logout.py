"""Pages that end the browser's session: our own sign-out, a client's request, ClaveÚnica's address."""

from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from clave.audit import service as audit
from clave.signin.login_required import current_holder
from clave.sso import logout, logout_checks
from clave.sso.issuers import STANDARD
from clave.sso.logout_checks import LogoutRequest
from clave.sso.models import Client, Dialect
from clave.sso.views.answers import ClientRedirect
from clave.sso.views.authorize import problem_page
from clave.web.middleware import POLICY, context_of
from clave.web.rendering import SeeOther, show

# What an address may be long; an ID token of ours is shorter.
LONGEST = 4000


def end_session(request: HttpRequest) -> list[Client]:
    """End this browser's session; return the clients that want to be told by this browser (front channel)."""
    sid = request.session.get("sid", "") if request.session.session_key else ""
    told = [client for client in logout.clients_at(sid) if client.frontchannel_logout_uri]
    holder = current_holder(request)
    if holder:
        audit.record("signout", context_of(request), holder=holder)
    request.session.flush()
    return told


def signed_out_page(request: HttpRequest, clients: list[Client], sid: str, back_to: str = "") -> HttpResponse:
    """Show that the session has ended, with a hidden frame for each client to tell and the way on.

    Source: OpenID Connect Front-Channel Logout 1.0, section 2.
    """
    told = {"iss": STANDARD.url, "sid": sid}
    frames = [_with_query(client.frontchannel_logout_uri, told) for client in clients]
    page = show(request, "sso/signed_out.html", {"frames": frames, "back_to": back_to})
    if frames:
        origins = " ".join(sorted({"{0.scheme}://{0.netloc}".format(urlsplit(frame)) for frame in frames}))
        page.headers["Content-Security-Policy"] = f"{POLICY}; frame-src {origins}"
    return page


def _with_query(url: str, fields: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"


class SignOut(View):
    """Salir: the button on the account's page."""

    def post(self, request: HttpRequest) -> HttpResponse:
        sid = request.session.get("sid", "")
        return signed_out_page(request, end_session(request), sid)

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("account"))


@csrf_exempt
def rp_logout(request: HttpRequest) -> HttpResponse:
    """End the session because a client asks, without a question if it has a token of this very session.

    Source: OpenID Connect RP-Initiated Logout 1.0, section 2. Anyone else's request could come from any page, so the
    person is asked (abuse case 40, CSRF on logout).
    """
    if request.method == "POST":
        # With another site's form the browser sends no cookies of ours, so it comes again by GET.
        query = urlencode(LogoutRequest(request.POST.dict()).parameters)
        if len(query) > LONGEST:
            return problem_page(request, None, "logout_too_long")
        return SeeOther(f"{request.path}?{query}")
    asked = LogoutRequest(request.GET.dict())
    if code := logout_checks.problem(asked):
        return problem_page(request, None, code)
    sid = request.session.get("sid", "") if request.session.session_key else ""
    if current_holder(request) is None or asked.is_about(sid):
        return _ended(request, asked, sid, came_by_form=False)
    return show(request, "sso/logout.html", {"client": asked.client, "parameters": asked.parameters.items()})


class ConfirmLogout(View):
    """The person's answer to whether the session is to end; the form carries the client's request."""

    def post(self, request: HttpRequest) -> HttpResponse:
        asked = LogoutRequest(request.POST.dict())
        if code := logout_checks.problem(asked):
            return problem_page(request, None, code)
        return _ended(request, asked, request.session.get("sid", ""), came_by_form=True)

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("account"))


def _ended(request: HttpRequest, asked: LogoutRequest, sid: str, *, came_by_form: bool) -> HttpResponse:
    """End the session; go straight back to the client if there is nobody to tell by frame, and no form led here."""
    clients, address = end_session(request), asked["post_logout_redirect_uri"]
    if address and asked["state"]:
        address = _with_query(address, {"state": asked["state"]})
    if address and not clients and not came_by_form:
        return ClientRedirect(address)
    return signed_out_page(request, clients, sid, address)


@csrf_exempt
def claveunica_logout(request: HttpRequest) -> HttpResponse:
    """End the session and go to a registered `redirect`, or answer with nothing (rce-protocol.md, section 3).

    The dialect knows no token that proves whose request it is. So only a session used at an application of the dialect
    ends: a stranger's page cannot sign anybody else out.
    """
    sid = request.session.get("sid", "") if request.session.session_key else ""
    if any(client.dialect == Dialect.CLAVEUNICA for client in logout.clients_at(sid)):
        end_session(request)
    redirect = request.GET.get("redirect", "")
    speakers = Client.objects.filter(dialect=Dialect.CLAVEUNICA, active=True)
    registered = {uri for uris in speakers.values_list("post_logout_redirect_uris", flat=True) for uri in uris}
    if redirect not in registered:
        return HttpResponse(status=204)
    return HttpResponseRedirect(redirect)
