"""The sign-in page."""

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.credentials.service import Proof
from clave.holders.profiles import PERSON, PROFILES
from clave.lib.request_context import RequestContext
from clave.signin.doors import offered_to
from clave.signin.login_required import account_url, enter, return_path
from clave.signin.reauthentication import KeyForm, KeyPage
from clave.web.forms import CleanedData

SESSIONS_A_PAGE = 20


class SignIn(KeyPage[KeyForm]):
    """Ingresar: the sign-in page of every profile."""

    form_class = KeyForm

    template_name = "signin/signin.html"
    title = _("Ingresar con mi Clave SENCE")
    button = _("Ingresar")

    def context(self) -> dict[str, object]:
        back = return_path(self.request)
        query = "" if back == account_url() else "?" + urlencode({"volver": back})
        profiles = [(config.title, config.url("signin") + query, config is self.config) for config in PROFILES]
        title = self.title if self.config is PERSON else gettext("Ingresar como {who}").format(who=self.config.title)
        doors = [(door.title, f"/ingresar/con/{door.slug}{query}") for door in offered_to(self.config.profile)]
        return {"back_to": back, "profiles": profiles, "title": title, "intro": self.needs(), "doors": doors}

    def proved(self, proof: Proof, typed: CleanedData, context: RequestContext) -> HttpResponse:
        enter(self.request, proof, context)
        return HttpResponseRedirect(return_path(self.request))
