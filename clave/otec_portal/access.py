"""Which training body is signed in in this browser, and pages for it alone."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from clave.holders.models import Holder, Profile
from clave.signin.login_required import current_holder, to_sign_in
from clave.training.models import Otec
from clave.web.form_pages import FormPage, FormT
from clave.web.rendering import show


@dataclass(frozen=True)
class OtecAccount:
    """A training body and the company that is signed in for it."""

    otec: Otec
    holder: Holder


def signed_in_otec(request: HttpRequest) -> OtecAccount | HttpResponse:
    """Return the training body signed in in this browser, or the response to send instead."""
    holder = current_holder(request)
    if holder is None or holder.profile != Profile.PERSONA_JURIDICA:
        return to_sign_in(request, "rts_signin")
    otec = Otec.objects.filter(rut=holder.identifier).first()
    if otec is None:
        return show(request, "otec_portal/no_body.html", {"company": holder}, status=403)
    return OtecAccount(otec, holder)


def for_otec(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorate a view to receive the signed-in training body as an `OtecAccount`."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        account = signed_in_otec(request)
        return account if isinstance(account, HttpResponse) else view(request, account, *args, **kwargs)

    return wrapped


class OtecPage(FormPage[FormT]):
    """A form page for the signed-in training body."""

    otec: Otec
    holder: Holder
    back = "/rts"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        account = signed_in_otec(request)
        if isinstance(account, HttpResponse):
            return account
        self.otec, self.holder = account.otec, account.holder
        return super().dispatch(request, *args, **kwargs)
