"""The signed-in holder, and views that require one."""

from collections.abc import Callable
from functools import cache, wraps
from typing import ClassVar, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from clave.credentials.service import Proof
from clave.db.hot_queries import Lookup
from clave.holders.models import Holder, Profile
from clave.holders.profiles import BY_PROFILE
from clave.lib.request_context import RequestContext
from clave.signin import service
from clave.signin.sessions import SessionStore
from clave.web.form_pages import FormPage, FormT

_SIGNED_IN = Lookup(
    lambda pk, version: Holder.objects.select_related("credential", "secret_answer").filter(pk=pk, version=version),
    UUID(int=1),
    2_000_000_000,
)


def current_holder(request: HttpRequest) -> Holder | None:
    """Return the holder signed in in this browser; None if the account's version has changed since."""
    pk = request.session.get("holder") if request.session.session_key else None
    if not pk:
        return None
    version = int(request.session.get("account_version", 0))
    return _SIGNED_IN.one(UUID(pk), version)


def to_sign_in(request: HttpRequest, config: str = "signin") -> HttpResponse:
    """Redirect to the sign-in page, which returns to this page afterwards."""
    return HttpResponseRedirect(f"{reverse(config)}?{urlencode({'volver': request.path})}")


@cache
def account_url() -> str:
    return reverse("account")


def return_path(request: HttpRequest, otherwise: str = "") -> str:
    """Return the path to go to after signing in: the requested one if it is on this site (abuse case 21).

    Otherwise `otherwise`, by default the account page.
    """
    back = request.POST.get("volver") or request.GET.get("volver") or ""
    safe = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if safe else otherwise or account_url()


def enter(request: HttpRequest, proof: Proof, context: RequestContext) -> None:
    """Sign a holder in in this browser. Raises `MinimumDataMissing`."""
    service.admit(proof, cast(SessionStore, request.session), context)
    rotate_token(request)


def enter_by_door(request: HttpRequest, holder: Holder, door: str, context: RequestContext) -> None:
    """Sign in, in this browser, a holder whom an upstream door identified. Raises as `service.admit_by_door`."""
    service.admit_by_door(holder, door, cast(SessionStore, request.session), context)
    rotate_token(request)


View = Callable[..., HttpResponseBase]


def signed_in_holder(request: HttpRequest, profiles: tuple[Profile, ...]) -> Holder | HttpResponse:
    """Return the signed-in holder with one of `profiles` (none: any), or the redirect to the sign-in page."""
    holder = current_holder(request)
    if holder is None or (profiles and holder.profile not in profiles):
        return to_sign_in(request, BY_PROFILE[profiles[0]].page("signin") if profiles else "signin")
    return holder


def for_holder(*profiles: Profile) -> Callable[[View], View]:
    """Return a decorator that passes the signed-in holder to a view; see `signed_in_holder`."""

    def decorator(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            holder = signed_in_holder(request, profiles)
            return holder if isinstance(holder, HttpResponse) else view(request, holder, *args, **kwargs)

        return wrapped

    return decorator


class HolderPage(FormPage[FormT]):
    """A form page for a signed-in holder with one of `profiles`; if that is empty, any profile is accepted."""

    profiles: ClassVar[tuple[Profile, ...]] = ()
    holder: Holder

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        holder = signed_in_holder(request, self.profiles)
        if isinstance(holder, HttpResponse):
            return holder
        self.holder = holder
        return super().dispatch(request, *args, **kwargs)
