"""Cambiar CS: enter the current or temporary key, then the new key twice."""

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.credentials.service import Proof
from clave.holders.profiles import ProfileForm
from clave.holders.service import proof_data
from clave.lib.outcome import Outcome
from clave.lib.request_context import RequestContext
from clave.selfservice.change import service
from clave.selfservice.common import ProfilePage, ProfileStep, key_rules
from clave.selfservice.fields import NewKeyMixin
from clave.web.forms import SecretField
from clave.web.wizard import Wizard

TITLE = _("Cambiar mi Clave SENCE")


class StartForm(ProfileForm):
    requires_representative = True
    key = SecretField(
        label=_("Clave SENCE actual"),
        autocomplete="current-password",
        help_text=_("También sirve la clave temporal que le enviamos."),
    )


class Start(ProfilePage[StartForm]):
    cached_blank = True
    form_class = StartForm
    title = TITLE
    button = _("Validar")
    step = (1, 2)

    def context(self) -> dict[str, object]:
        intro = gettext("Tenga a mano {what} y su clave actual o temporal. Toma unos 2 minutos.")
        return {"intro": intro.format(what=self.config.at_hand)}

    def perform(self, form: StartForm, context: RequestContext) -> HttpResponse:
        proof = service.prove(form.claim, form.cleaned_data["key"], context)
        data = {**proof_data(proof.holder), "version": proof.version, "temporary": proof.temporary}
        wizard = Wizard.begin(self.request, self.config.page("change"), "key", **data)
        return HttpResponseRedirect(self.config.url("change_key", wizard.run))


class NewKeyForm(NewKeyMixin):
    """The new key, twice."""


class NewKey(ProfileStep[NewKeyForm]):
    form_class = NewKeyForm
    flow = "change"
    name = "key"
    title = TITLE
    intro = _("Elija su clave nueva. Anótela donde solo usted la vea.")
    button = _("Cambiar Clave")
    step = (2, 2)
    changes = True

    proof: Proof

    def prepare(self) -> None:
        self.proof = service.proof_from(self.wizard.data)

    def context(self) -> dict[str, object]:
        return {"rules": key_rules()}

    def complete(self, form: NewKeyForm, checked: None, context: RequestContext) -> Outcome:
        back_to = str(self.wizard.data.get("back_to", ""))
        return service.change(self.proof, form.cleaned_data["new_key"], context, back_to)
