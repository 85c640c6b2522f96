"""Who one is and the key, asked wherever something is done on their strength: a sign-in, a mark, a signature."""

from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.credentials.service import Proof
from clave.holders.profiles import COMPANY, PERSON, ProfileConfig, ProfileForm
from clave.holders.service import proof_data
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.signin import service
from clave.web.form_pages import FormPage
from clave.web.forms import SecretField
from clave.web.wizard import Wizard


class KeyForm(ProfileForm):
    """Who one is, and the CS. A company also names a representative (guide PJ, section 1)."""

    requires_representative = True
    key = SecretField(label=_("Clave SENCE"), autocomplete="current-password")


class LockedRutForm(KeyForm):
    """The RUT is filled in and cannot be changed; whoever changes it nevertheless is refused."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rut"].help_text = ""
        self.fields["rut"].widget.attrs |= {"readonly": "", "aria-readonly": "true"}
        self.fields["rut"].widget.attrs.pop("aria-describedby", None)


KeyFormT = TypeVar("KeyFormT", bound=KeyForm)


class KeyPage(FormPage[KeyFormT]):
    """A page that asks who one is and for the key; after a failure, for the letters of an image too.

    `proved` does what the page is for. A temporary key proves nothing here: it leads to the page that changes it, and
    from there back to `back_after_change`.
    """

    config: ProfileConfig = PERSON
    back_after_change = ""

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        # A page that is told where to go on to is not the same for everybody.
        self.cached_blank = self.cached_blank and not request.GET
        return super().get(request, **kwargs)

    def needs(self) -> str:
        """Say what to type."""
        if self.config is COMPANY:
            return gettext("Escriba el RUT de la empresa, el de su representante legal y la Clave SENCE de la empresa.")
        return gettext("Escriba {what} y su Clave SENCE.").format(what=self.config.at_hand)

    def make_form(self, data: object = None, initial: object = None) -> KeyFormT:
        wanted = "captcha_ticket" in self.request.POST and settings.CLAVE_CAPTCHA != "off"
        return self._form(data, letters=wanted, initial=initial)

    def _form(self, data: object, *, letters: bool, initial: object = None) -> KeyFormT:
        return self.form_class(data, initial=initial, request=self.request, config=self.config, letters=letters)

    def perform(self, form: KeyFormT, context: RequestContext) -> HttpResponse:
        human = settings.CLAVE_CAPTCHA == "off" or "captcha" in form.fields
        explain = human and settings.SIGNIN_MESSAGES == "guide"
        proof = service.prove(form.claim, form.cleaned_data["key"], context, human=human, explain=explain)
        return self._to_change(proof) if proof.temporary else self.proved(proof, form.cleaned_data, context)

    def proved(self, proof: Proof, typed: dict[str, object], context: RequestContext) -> HttpResponse:
        """Do what the key was asked for; `typed` is the clean form. Raises `Refused`."""
        raise NotImplementedError

    def _to_change(self, proof: Proof) -> HttpResponse:
        """Begin the change of a temporary key at its second step: the first one has just been done."""
        known = {**proof_data(proof.holder), "version": proof.version, "temporary": proof.temporary}
        wizard = Wizard.begin(self.request, self.config.page("change"), "key", **known, back_to=self.back_after_change)
        return HttpResponseRedirect(self.config.url("change_key", wizard.run))

    def refused(self, form: KeyFormT, refused: Refused) -> HttpResponse:
        """After a failure the form asks for the letters too."""
        if refused.code in ("wrong_key", "captcha_needed") and settings.CLAVE_CAPTCHA != "off":
            again = self._form(form.data, letters=True)
            again._errors, again.cleaned_data = type(form.errors)(renderer=form.renderer), {}
            form = again
        return super().refused(form, refused)
