"""Ingresar, mi cuenta, salir."""

from functools import cache
from typing import Any, ClassVar, cast

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View

from clave.audit import service as audit
from clave.credentials.service import Proof
from clave.credentials.throttling import browser_axis
from clave.holders.models import Holder
from clave.holders.profiles import COMPANY, PERSON, PROFILES, ProfileConfig, ProfileForm
from clave.holders.service import proof_of
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.signin import service
from clave.signin.login_required import current_holder, for_holder
from clave.signin.models import Session
from clave.signin.sessions import SessionStore
from clave.web.forms import ClaveForm, SecretField
from clave.web.middleware import context_of
from clave.web.pages import FormPage, show
from clave.web.wizard import Wizard

SESSIONS_A_PAGE = 20


class SignInForm(ProfileForm):
    signs = True
    key = SecretField(label=_("Clave SENCE"), autocomplete="current-password")


def local_path(request: HttpRequest) -> str:
    """Return where to go after signing in: only a path of this site (abuse case 21)."""
    back = request.POST.get("volver") or request.GET.get("volver") or ""
    safe = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return back if safe else _account_url()


@cache
def _account_url() -> str:
    return reverse("account")


class SignIn(FormPage):
    """Who one is, and the key; after a failure the letters of an image too.

    A company also names a representative (guide PJ, section 1). Who else asks for a sign-in says what follows it.
    """

    config: ProfileConfig = PERSON
    form_class: ClassVar[type[ProfileForm]] = SignInForm
    template_name = "signin/signin.html"
    title = _("Ingresar con mi Clave SENCE")
    button = _("Ingresar")
    typed: dict[str, Any]
    # Where to go on after a temporary key was changed.
    back_after_change = ""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        self.cached_blank = self.cached_blank and not request.GET
        return super().get(request, **kwargs)

    def context(self) -> dict[str, Any]:
        back = local_path(self.request)
        query = "" if back == _account_url() else "?" + urlencode({"volver": back})
        profiles = [(config.title, config.url("signin") + query, config is self.config) for config in PROFILES]
        title = self.title if self.config is PERSON else gettext("Ingresar como {who}").format(who=self.config.title)
        return {"back_to": back, "profiles": profiles, "title": title, "intro": self.intro or self._needs()}

    def _needs(self) -> str:
        if self.config is COMPANY:
            return gettext("Escriba el RUT de la empresa, el de su representante legal y la Clave SENCE de la empresa.")
        return gettext("Escriba {what} y su Clave SENCE.").format(what=self.config.at_hand)

    def make_form(self, data: Any = None, initial: Any = None) -> ProfileForm:
        wanted = "captcha_ticket" in self.request.POST and settings.CLAVE_CAPTCHA != "off"
        return self._form(data, letters=wanted, initial=initial)

    def _form(self, data: Any, *, letters: bool, initial: Any = None) -> ProfileForm:
        return self.form_class(data, initial=initial, request=self.request, config=self.config, letters=letters)

    def perform(self, form: Any, context: RequestContext) -> HttpResponse:
        human = settings.CLAVE_CAPTCHA == "off" or "captcha" in form.fields
        explain = human and settings.SIGNIN_MESSAGES == "guide"
        self.typed = form.cleaned_data
        proof = service.prove(form.claim, self.typed["key"], context, human=human, explain=explain)
        if proof.temporary:
            wizard = Wizard.begin(
                self.request,
                self.config.page("change"),
                "key",
                **proof_of(proof.holder),
                version=proof.version,
                temporary=proof.temporary,
                back_to=self.back_after_change,
            )
            return HttpResponseRedirect(self.config.url("change_key", wizard.run))
        return self.proved(proof, context)

    def proved(self, proof: Proof, context: RequestContext) -> HttpResponse:
        """Do what the person signed in for."""
        service.admit(proof, cast(SessionStore, self.request.session), context)
        rotate_token(self.request)
        return HttpResponseRedirect(local_path(self.request))

    def refused(self, form: ClaveForm, refused: Refused) -> HttpResponse:
        """After a failure the form asks for the letters too."""
        if refused.code in ("wrong_key", "captcha_needed") and settings.CLAVE_CAPTCHA != "off":
            again = self._form(form.data, letters=True)
            again._errors, again.cleaned_data = type(form.errors)(renderer=form.renderer), {}
            form = again
        return super().refused(form, refused)


@for_holder()
def account(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Show the holder's data, and where everything else is. A sign-in lands here: it asks for nothing more."""
    return show(request, "signin/account.html", {"holder": holder})


@for_holder()
def account_sessions(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Show the holder's open sessions, a page of them, and the last sign-ins."""
    sessions = Session.objects.filter(holder=holder).order_by("-created_at", "pk")
    context = {
        "signins": service.last_signins(holder),
        "sessions": Paginator(sessions, SESSIONS_A_PAGE).get_page(request.GET.get("pagina")),
        "here_key": request.session.session_key,
        "closed": "cerradas" in request.GET,
    }
    return show(request, "signin/account_sessions.html", context)


class SignOut(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        holder = current_holder(request)
        if holder:
            audit.record("signout", context_of(request), holder=holder)
        request.session.flush()
        return show(request, "signin/signed_out.html")

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("account"))


class CloseOthers(View):
    def post(self, request: HttpRequest) -> HttpResponse:
        holder = current_holder(request)
        if holder is None:
            return HttpResponseRedirect(reverse("signin"))
        ended, _each = Session.objects.filter(holder=holder).exclude(pk=request.session.session_key).delete()
        # A browser whose session the holder ends is no longer one the holder vouches for.
        here = browser_axis(holder.account, context_of(request))
        holder.known_browsers.exclude(axis=here).delete()
        audit.record("sessions.closed", context_of(request), holder=holder, count=ended)
        return HttpResponseRedirect(reverse("account_sessions") + "?cerradas=1")

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_sessions"))
