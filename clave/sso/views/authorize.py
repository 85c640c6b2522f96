"""The authorization endpoint, and the pages between it and the answer: sign-in, account, consent."""

import re
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from clave.holders.models import Profile
from clave.holders.profiles import BY_PROFILE, PERSON
from clave.lib import clock
from clave.lib.rut import InvalidRut, Rut
from clave.sso import authorization, authorization_checks, claims, consents, pending_limits
from clave.sso.authorization import Need
from clave.sso.authorization_request import PUSHED_PREFIX, AuthorizationRequest, received, resumed
from clave.sso.issuers import BY_DIALECT, Issuer
from clave.sso.models import Client, PendingAuthorization
from clave.sso.oauth_errors import OAuthError
from clave.sso.signed_in import SignedIn, signed_in
from clave.sso.views import answers
from clave.sso.views.languages import remember, speak
from clave.sso.views.problems import problem_page
from clave.web import destination
from clave.web.destination import Destination
from clave.web.errors import error_page
from clave.web.middleware import address_of, context_of
from clave.web.rendering import SeeOther, show

_AUTHORIZE = re.compile(r"/openid/authorize/?\?.+")


@csrf_exempt
def authorize(request: HttpRequest, issuer: Issuer) -> HttpResponse:
    """Receive an authorization request (OpenID Connect Core 1.0, section 3.1.2.1)."""
    if request.method == "POST":
        return _posted(request, issuer)
    if request.method != "GET":
        return HttpResponse(status=405, headers={"Allow": "GET, POST"})
    asked = received(issuer, request.GET)
    if asked is None:
        return problem_page(request, None, "unknown_client")
    language = speak(request, asked["ui_locales"])
    return remember(advance(request, asked), language)


def _posted(request: HttpRequest, issuer: Issuer) -> HttpResponse:
    """Store a posted request and have the browser come again by GET.

    With another site's form the browser sends none of our cookies, so nobody could be seen to be signed in; nor may it
    be given others instead.
    """
    asked = received(issuer, request.POST)
    if asked is None:
        return problem_page(request, None, "unknown_client")
    if code := authorization_checks.shown_problem(asked):
        return problem_page(request, asked, code)
    if error := authorization_checks.sent_problem(asked):
        return answers.with_error(request, asked, error, came_by_form=False)
    if not pending_limits.try_admit(asked.client, address_of(request)):
        return error_page(request, 429)
    pending = asked.pending or authorization.push(asked)
    query = {"client_id": asked.client.client_id, "request_uri": PUSHED_PREFIX + pending.pk}
    return SeeOther(f"{issuer.endpoint('authorize')}?{urlencode(query)}")


def claveunica_login(request: HttpRequest) -> HttpResponse:
    """Go on to the authorization endpoint in `next`, in front of which some of ClaveÚnica's clients name this page."""
    following = request.GET.get("next", "")
    return HttpResponseRedirect(following) if _AUTHORIZE.fullmatch(following) else error_page(request, 404)


def advance(request: HttpRequest, asked: AuthorizationRequest, *, came_by_form: bool = False) -> HttpResponse:
    """Answer a request if nothing more is needed of the person; otherwise lead to the page where it is given."""
    context = context_of(request)
    if asked.pending and asked.pending.browser not in ("", context.browser):
        return problem_page(request, asked, "unknown_request")
    if code := authorization_checks.shown_problem(asked):
        return problem_page(request, asked, code)
    if error := authorization_checks.sent_problem(asked):
        return answers.with_error(request, asked, error, came_by_form=came_by_form)
    person = _signed_in_for(request, asked.client)
    need = authorization.need_of(asked, person)
    if need is None and person is not None:
        return granted(request, asked, authorization.issue_code(asked, person, context), came_by_form=came_by_form)
    if need is not None and "none" in asked.prompts:
        need = authorization.silent_error(need, asked, person)
    if isinstance(need, OAuthError):
        return answers.with_error(request, asked, need, came_by_form=came_by_form)
    if asked.pending is None and not pending_limits.try_admit(asked.client, context.address):
        return error_page(request, 429)
    pending = authorization.keep_pending(asked, context)
    if pending is None:
        return problem_page(request, asked, "unknown_request")
    if need is Need.SIGN_IN:
        return _to_sign_in(request, asked, pending)
    page = "sso_account" if need is Need.CHOOSE_ACCOUNT else "sso_consent"
    return HttpResponseRedirect(reverse(page, args=[pending.pk]))


def _signed_in_for(request: HttpRequest, client: Client) -> SignedIn | None:
    """Return who is signed in; nobody is for a client whose people sign in at a page of their own."""
    return None if client.client_id in settings.SSO_SIGN_IN_PAGES else signed_in(request)


def granted(request: HttpRequest, asked: AuthorizationRequest, code: str | None, *, came_by_form: bool) -> HttpResponse:
    """Return the browser to the client with a code, or say that the request is over if there is none."""
    if code is None:
        return problem_page(request, asked, "unknown_request")
    return answers.with_code(request, asked, code, came_by_form=came_by_form)


def _to_sign_in(request: HttpRequest, asked: AuthorizationRequest, pending: PendingAuthorization) -> HttpResponse:
    """Lead to the sign-in page, and remember where from: a key may have to be made or recovered first."""
    if own := settings.SSO_SIGN_IN_PAGES.get(pending.client.client_id):
        return HttpResponseRedirect(reverse(own, args=[pending.pk]))
    path, cancel_path = (reverse(page, args=[pending.pk]) for page in ("sso_continue", "sso_cancel"))
    client, rut = pending.client, _hinted_rut(asked)
    going = Destination(client.name, path, cancel_path, client.profiles, rut)
    response = HttpResponseRedirect(f"{sign_in_url(client)}?{urlencode({'volver': path})}")
    destination.remember(response, going)
    return response


def _hinted_rut(asked: AuthorizationRequest) -> str:
    """Return the RUT in `login_hint` as people write it; empty if that is something else."""
    try:
        return Rut.parse(asked["login_hint"]).pretty
    except InvalidRut:
        return ""


def sign_in_url(client: Client) -> str:
    """Return the sign-in page of the first profile that may enter this client."""
    config = BY_PROFILE[Profile(client.profiles[0])] if client.profiles else PERSON
    return config.url("signin")


def find_pending(request: HttpRequest, pk: str) -> AuthorizationRequest | None:
    """Return the stored request that this browser brought, None if it is over or another browser's."""
    unexpired = PendingAuthorization.objects.filter(expires_at__gt=clock.now(), browser=context_of(request).browser)
    pending = unexpired.select_related("client").filter(pk=pk).first()
    if pending is None:
        return None
    asked = resumed(BY_DIALECT[pending.client.dialect], pending)
    asked.is_on_our_page = True
    return asked


def proceed(request: HttpRequest, pending: str) -> HttpResponse:
    """Go on with a stored request after signing in."""
    asked = find_pending(request, pending)
    if asked is None:
        return problem_page(request, None, "unknown_request")
    return advance(request, asked, came_by_form=True)


def other_account(request: HttpRequest, pending: str) -> HttpResponse:
    """Lead whoever is signed in to the sign-in page, for another account."""
    asked = find_pending(request, pending)
    if asked is None or asked.pending is None:
        return problem_page(request, None, "unknown_request")
    return _to_sign_in(request, asked, asked.pending)


def cancel(request: HttpRequest, pending: str) -> HttpResponse:
    """Return to the client without signing in. The request stays, so the browser's back button leads on."""
    asked = find_pending(request, pending)
    if asked is None:
        return problem_page(request, None, "unknown_request")
    if code := authorization_checks.shown_problem(asked):
        return problem_page(request, asked, code)
    return answers.with_error(
        request, asked, OAuthError("access_denied", "the person did not sign in"), came_by_form=False
    )


class PendingPage(View):
    """A page about a stored request, for whoever is signed in."""

    template_name: ClassVar[str]
    # What it asks for. If the request needs something else first, or is no longer in order, it is not shown.
    need: ClassVar[Need]
    asked: AuthorizationRequest
    pending: PendingAuthorization
    person: SignedIn

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        asked = find_pending(request, str(kwargs["pending"]))
        if asked is None or asked.pending is None:
            return problem_page(request, None, "unknown_request")
        person = _signed_in_for(request, asked.client)
        in_order = not authorization_checks.shown_problem(asked) and not authorization_checks.sent_problem(asked)
        if person is None or not in_order or authorization.need_of(asked, person) is not self.need:
            return advance(request, asked, came_by_form=True)
        self.asked, self.pending, self.person = asked, asked.pending, person
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        return show(request, self.template_name, {**self.context(), "holder": self.person.holder})

    def context(self) -> dict[str, object]:
        pages = {name: reverse(f"sso_{name}", args=[self.pending.pk]) for name in ("other_account", "cancel")}
        return {"client": self.asked.client, **pages}


class ChooseAccount(PendingPage):
    """Asks whether to go on with the account that is signed in, or to sign in with another."""

    template_name = "sso/account.html"
    need = Need.CHOOSE_ACCOUNT

    def context(self) -> dict[str, object]:
        profiles = self.asked.client.profiles
        allowed = not profiles or self.person.holder.profile in profiles
        titles = [BY_PROFILE[Profile(profile)].title for profile in profiles]
        return {**super().context(), "allowed": allowed, "titles": titles}

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        authorization.choose_account(self.pending)
        return proceed(request, self.pending.pk)


class ConsentPage(PendingPage):
    """Says which system wants to know what, and asks whether it may."""

    template_name = "sso/consent.html"
    need = Need.CONSENT

    def context(self) -> dict[str, object]:
        told = claims.in_words(self.asked.scopes, consents.single_claims(self.asked))
        host = urlsplit(self.asked["redirect_uri"]).hostname
        remembered = not self.asked.may_be_impersonated
        return {**super().context(), "told": told, "returns_to": host, "remembered": remembered}

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        context = context_of(request)
        if "permitir" not in request.POST:
            authorization.decline(self.asked, self.person, context)
            error = OAuthError("access_denied", "the person said no")
            return answers.with_error(request, self.asked, error, came_by_form=True)
        code = authorization.consent_and_issue_code(self.asked, self.person, context)
        return granted(request, self.asked, code, came_by_form=True)
