"""Cambiar CS: prove the present key (or the temporary one), then type the new one twice."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.core.forms import CaptchaField, ClaveForm, RutField, SecretField
from clave.core.outcome import Outcome
from clave.core.pages import FormPage, StepPage
from clave.core.visit import Visit
from clave.core.wizard import Wizard
from clave.flows.change import service
from clave.flows.common import NewKeyMixin, key_rules
from clave.keys.policy import PolicyViolation

TITLE = _("Cambiar mi Clave SENCE")


class StartForm(ClaveForm):
    rut = RutField()
    key = SecretField(
        label=_("Clave SENCE actual"),
        autocomplete="current-password",
        help_text=_("También sirve la clave temporal que le enviamos."),
    )
    captcha = CaptchaField()


class Start(FormPage):
    form_class = StartForm
    title = TITLE
    intro = _("Tenga a mano su RUT y su clave actual o temporal. Toma unos 2 minutos.")
    button = _("Validar")
    step = (1, 2)

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        proof = service.prove(form.cleaned_data["rut"], form.cleaned_data["key"], visit)
        wizard = Wizard.begin(
            self.request, "change", "key", holder=str(proof.holder.pk), version=proof.version, temporary=proof.temporary
        )
        return HttpResponseRedirect(reverse("change_key", args=[wizard.run]))


class NewKeyForm(NewKeyMixin):
    """Only the new key, twice."""


class NewKey(StepPage):
    form_class = NewKeyForm
    template_name = "flows/new_key.html"
    flow = "change"
    name = "key"
    title = TITLE
    intro = _("Elija su clave nueva. Anótela donde solo usted la vea.")
    button = _("Cambiar Clave")
    step = (2, 2)
    changes = True
    back = "/persona/cambiar"

    def context(self) -> dict[str, Any]:
        return {"rules": key_rules()}

    def perform(self, form: Any, visit: Visit) -> Outcome | HttpResponse:
        proof = service.proof_from(self.wizard.data)
        try:
            outcome = service.change(
                proof, form.cleaned_data["new_key"], visit, str(self.wizard.data.get("back_to", ""))
            )
        except PolicyViolation as violation:
            form.refuse_key(violation)
            return self.page(form, status=400)
        self.wizard.end()
        return outcome
