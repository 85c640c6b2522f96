"""Representantes legales: a signed-in company lists, adds and removes them."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.holders.models import Holder, Profile
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.selfservice.fields import REPRESENTATIVE_GROUP, RepresentativeMixin
from clave.selfservice.representatives import service
from clave.signin.login_required import HolderPage, for_holder
from clave.web.errors import error_page
from clave.web.middleware import context_of


class NewForm(RepresentativeMixin):
    """A new representative."""

    groups = [(_("Agregar un representante legal"), REPRESENTATIVE_GROUP[1])]


class Representatives(HolderPage[NewForm]):
    form_class = NewForm
    template_name = "selfservice/representatives.html"
    title = _("Representantes legales")
    intro = _("Con el RUT de cualquiera de ellos y la clave de la empresa se ingresa y se cambia la clave.")
    button = _("Agregar")
    back = "/mi-cuenta"
    changes = True
    profiles = (Profile.PERSONA_JURIDICA,)

    def context(self) -> dict[str, object]:
        return {"people": self.holder.representatives.order_by("pk")}

    def check(self, form: NewForm, context: RequestContext) -> None:
        service.check(self.holder, form.cleaned_data["representative"], context)

    def complete(self, form: NewForm, checked: None, context: RequestContext) -> Outcome:
        return service.add(self.holder, form.cleaned_data, context)


@for_holder(Profile.PERSONA_JURIDICA)
def remove(request: HttpRequest, holder: Holder, person: int) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseRedirect(reverse("representatives"))
    try:
        service.remove(holder, person, context_of(request))
    except Refused:
        return error_page(request, 400)
    return HttpResponseRedirect(reverse("representatives"))
