"""Pages that end the browser's session: our own sign-out, a client's request, ClaveÚnica's address."""

from dataclasses import dataclass
from typing import cast
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from clave.signin.doors import OfferedDoor, offered
from clave.signin.login_required import current_holder
from clave.signin.service import sign_out
from clave.signin.sessions import SessionStore
from clave.sso import logout, logout_checks
from clave.sso.issuers import BY_DIALECT
from clave.sso.logout_checks import LogoutRequest
from clave.sso.models import Client, Dialect
from clave.sso.views.answers import ClientRedirect
from clave.sso.views.problems import problem_page
from clave.web.middleware import POLICY, context_of
from clave.web.rendering import SeeOther, show

# What an address may be long; an ID token of ours is shorter.
LONGEST = 4000


@dataclass(frozen=True)
class EndedSession:
    """What has ended: the session's name, the clients that this browser tells, the door by which its holder came."""

    sid: str = ""
    clients: tuple[Client, ...] = ()
    door: OfferedDoor | None = None


def end_session(request: HttpRequest) -> EndedSession:
    """End this browser's session; return whom this browser has to tell of it (front channel)."""
    sid = request.session.get("sid", "") if request.session.session_key else ""
    holder = current_holder(request)
    if holder is None and not sid:
        # An operator's session, or a form that somebody has half done, is not a client's to end.
        return EndedSession()
    framed = tuple(client for client in logout.clients_at(sid) if client.frontchannel_logout_uri)
    door = next((door for door in offered() if door.slug == request.session.get("door")), None)
    sign_out(cast(SessionStore, request.session), holder, context_of(request))
    return EndedSession(sid, framed, door)


def signed_out_page(
    request: HttpRequest, ended: EndedSession, back_to: str = "", client: Client | None = None
) -> HttpResponse:
    """Show that the session has ended, with a hidden frame for each client to tell, and the way back to `client`.

    Source: OpenID Connect Front-Channel Logout 1.0, section 2.
    """
    frames = [_frame_url(each, ended.sid) for each in ended.clients]
    context = {"frames": frames, "back_to": back_to, "client": client, "door": ended.door}
    page = show(request, "sso/signed_out.html", context)
    if frames:
        origins = " ".join(sorted({"{0.scheme}://{0.netloc}".format(urlsplit(frame)) for frame in frames}))
        page.headers["Content-Security-Policy"] = f"{POLICY}; frame-src {origins}"
    return page


def _frame_url(client: Client, sid: str) -> str:
    return _with_query(client.frontchannel_logout_uri, {"iss": BY_DIALECT[client.dialect].url, "sid": sid})


def _with_query(url: str, fields: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"


class SignOut(View):
    """Salir: the button on the account's page."""

    def post(self, request: HttpRequest) -> HttpResponse:
        return signed_out_page(request, end_session(request))

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
            return problem_page(request, None, "logout_too_long", leaving=True)
        return SeeOther(f"{request.path}?{query}")
    asked = LogoutRequest(request.GET.dict())
    if code := logout_checks.problem(asked):
        return problem_page(request, None, code, leaving=True)
    sid = request.session.get("sid", "") if request.session.session_key else ""
    holder = current_holder(request)
    if holder is None or asked.is_about(sid):
        return _ended(request, asked, came_by_form=False)
    context = {"client": asked.client, "holder": holder, "parameters": asked.parameters.items()}
    return show(request, "sso/logout.html", context)


class ConfirmLogout(View):
    """The person's answer to whether the session is to end; the form carries the client's request."""

    def post(self, request: HttpRequest) -> HttpResponse:
        asked = LogoutRequest(request.POST.dict())
        if code := logout_checks.problem(asked):
            return problem_page(request, None, code, leaving=True)
        return _ended(request, asked, came_by_form=True)

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("account"))


def _ended(request: HttpRequest, asked: LogoutRequest, *, came_by_form: bool) -> HttpResponse:
    """End the session; go straight back to the client if there is nobody to tell by frame, and no form led here."""
    ended, address = end_session(request), asked["post_logout_redirect_uri"]
    if address and asked["state"]:
        address = _with_query(address, {"state": asked["state"]})
    if address and not ended.clients and not came_by_form:
        return ClientRedirect(address)
    return signed_out_page(request, ended, address, asked.client)


@csrf_exempt
def claveunica_logout(request: HttpRequest) -> HttpResponse:
    """End the session and go to a registered `redirect`, or stay on the page (rce-protocol.md, section 3).

    The dialect knows no token that proves whose request it is. So only a session used at an application of the dialect
    ends: a stranger's page cannot sign anybody else out.
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    sid = request.session.get("sid", "") if request.session.session_key else ""
    speaks = any(client.dialect == Dialect.CLAVEUNICA for client in logout.clients_at(sid))
    if speaks and request.method == "GET":
        end_session(request)
    redirect = request.GET.get("redirect", "")
    speakers = Client.objects.filter(dialect=Dialect.CLAVEUNICA, active=True)
    registered = {uri for uris in speakers.values_list("post_logout_redirect_uris", flat=True) for uri in uris}
    if redirect not in registered:
        return HttpResponse(status=204)
    # The dialect says 302, and the scheme may be an application's own, so none of Django's redirects will do.
    return HttpResponse(status=302, headers={"Location": redirect})
