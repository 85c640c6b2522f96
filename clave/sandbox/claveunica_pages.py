"""Pages of `claveunica-demo`: what a developer needs to know, and the sign-in of the test people."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.sandbox import claveunica_demo
from clave.sandbox.claveunica_demo import CLIENT_ID, PASSWORD, PEOPLE, SECRET
from clave.sso.authorization_request import AuthorizationRequest
from clave.sso.issuers import CLAVEUNICA
from clave.sso.views.authorize import find_pending, granted
from clave.sso.views.problems import problem_page
from clave.web.form_pages import FormPage
from clave.web.forms import ClaveForm, RutField, SecretField
from clave.web.rendering import show


def home(request: HttpRequest) -> HttpResponse:
    """Show the client's credentials, its addresses and its people; after a sign-in, how to go on with the code."""
    here = settings.CLAVE_URL + request.path
    query = {"client_id": CLIENT_ID, "response_type": "code", "scope": "openid run name email"}
    query |= {"redirect_uri": here, "state": "prueba"}
    context = {
        "client_id": CLIENT_ID,
        "secret": SECRET,
        "password": PASSWORD,
        "people": PEOPLE,
        "authorize": f"{CLAVEUNICA.endpoint('authorize')}/?{urlencode(query)}",
        "token": CLAVEUNICA.endpoint("token") + "/",
        "userinfo": CLAVEUNICA.endpoint("userinfo") + "/",
        "logout": CLAVEUNICA.logout_url,
        "redirect_uris": claveunica_demo.redirect_uris(),
        "here": here,
        "code": request.GET.get("code", ""),
    }
    return show(request, "sandbox/claveunica.html", context)


class PersonForm(ClaveForm):
    """RUN and password of a test person."""

    rut = RutField(label="RUN")
    password = SecretField(label=_("Clave"), autocomplete="off")


class SignIn(FormPage[PersonForm]):
    """The sign-in of the test people, for one stored authorization request of their client."""

    form_class = PersonForm
    template_name = "sandbox/claveunica_sign_in.html"
    title = _("Personas de prueba de ClaveÚnica")
    button = _("Ingresar")
    asked: AuthorizationRequest

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        asked = find_pending(request, str(kwargs["pending"]))
        if asked is None or asked.client.client_id != CLIENT_ID:
            return problem_page(request, None, "unknown_request")
        self.asked = asked
        return super().dispatch(request, *args, **kwargs)

    def context(self) -> dict[str, object]:
        return {"people": PEOPLE, "password": PASSWORD, "back": reverse("sandbox_claveunica")}

    def perform(self, form: PersonForm, context: RequestContext) -> HttpResponse:
        person = claveunica_demo.find(str(form.cleaned_data["rut"]))
        if person is None or form.cleaned_data["password"] != PASSWORD:
            text = gettext("El RUN o la clave no son de una persona de prueba.")
            raise Refused("not_a_test_person", text, field="password")
        code = claveunica_demo.sign_in(person, self.asked, context)
        return granted(self.request, self.asked, code, came_by_form=True)
