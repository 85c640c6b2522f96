"""The sign-in page."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.credentials.service import Proof
from clave.holders.profiles import PERSON, PROFILES
from clave.lib.request_context import RequestContext
from clave.signin.doors import offered_to
from clave.signin.login_required import account_url, enter, return_path
from clave.signin.reauthentication import KeyForm, KeyPage
from clave.web import destination
from clave.web.destination import Destination
from clave.web.forms import CleanedData, Initial, Typed


class SignIn(KeyPage[KeyForm]):
    """Ingresar: the sign-in page of every profile."""

    form_class = KeyForm

    template_name = "signin/signin.html"
    title = _("Ingresar con mi Clave SENCE")
    button = _("Ingresar")

    destination: Destination | None

    def setup(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        super().setup(request, *args, **kwargs)
        going = destination.current(request)
        self.destination = going if going and return_path(request, going.path) == going.path else None

    @property
    def back_to(self) -> str:
        return return_path(self.request, self.destination.path if self.destination else "")

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        self.cached_blank = self.cached_blank and self.destination is None
        return super().get(request, **kwargs)

    def make_form(self, data: Typed = None, initial: Initial = None) -> KeyForm:
        if data is None and initial is None:
            initial = {"rut": self._expected_rut()}
        return super().make_form(data, initial)

    def _expected_rut(self) -> str:
        """Return the RUT that the destination expects, on the page of the profile it leads to first."""
        if self.destination is None:
            return ""
        first = self.destination.profiles[0] if self.destination.profiles else PERSON.profile
        return self.destination.rut if self.config.profile == first else ""

    def context(self) -> dict[str, object]:
        back = self.back_to
        query = "" if back == account_url() else "?" + urlencode({"volver": back})
        allowed = self.destination.profiles if self.destination else []
        configs = [config for config in PROFILES if not allowed or config.profile in allowed or config is self.config]
        profiles = [(config.title, config.url("signin") + query, config is self.config) for config in configs]
        title = self.title if self.config is PERSON else gettext("Ingresar como {who}").format(who=self.config.title)
        doors = [(door.title, f"/ingresar/con/{door.slug}{query}") for door in offered_to(self.config.profile)]
        words = {"back_to": back, "profiles": profiles, "title": title, "intro": self.needs(), "doors": doors}
        return {**words, "destination": self.destination}

    def proved(self, proof: Proof, typed: CleanedData, context: RequestContext) -> HttpResponse:
        enter(self.request, proof, context)
        return HttpResponseRedirect(self.back_to)
