"""Authentication by identity and key, as required for each sign-in, attendance mark and signature."""

from typing import TypeVar

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
from clave.web.forms import Initial, SecretField, Typed
from clave.web.wizard import Wizard


class KeyForm(ProfileForm):
    """Identity and CS. A company also names a representative (guide PJ, section 1)."""

    requires_representative = True
    key = SecretField(label=_("Clave SENCE"), autocomplete="current-password")


class LockedRutForm(KeyForm):
    """A form with the RUT filled in and read-only. The view must refuse a different one."""

    def adapt(self) -> None:
        super().adapt()
        self.fields["rut"].help_text = ""
        self.fields["rut"].widget.attrs |= {"readonly": "", "aria-readonly": "true"}


KeyFormT = TypeVar("KeyFormT", bound=KeyForm)


class KeyPage(FormPage[KeyFormT]):
    """A page that asks for identity and key and, after a failure, also for a captcha.

    `proved` implements the page's purpose. A temporary key is not sufficient: it leads to the page that changes it and
    from there back to `back_after_change`.
    """

    config: ProfileConfig = PERSON
    back_after_change = ""
    # Whether an attempt has just failed, so that the next one needs a captcha.
    failed = False

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        # A page with a return path in its query is not the same for everybody.
        self.cached_blank = self.cached_blank and not request.GET
        return super().get(request, **kwargs)

    def needs(self) -> str:
        """Return the instruction on what to type."""
        if self.config is COMPANY:
            return gettext("Escriba el RUT de la empresa, el de su representante legal y la Clave SENCE de la empresa.")
        return gettext("Escriba {what} y su Clave SENCE.").format(what=self.config.at_hand)

    @property
    def letters(self) -> bool:
        """Return whether the form has a captcha."""
        return self.failed or ("captcha_ticket" in self.request.POST and settings.CLAVE_CAPTCHA != "off")

    def make_form(self, data: Typed = None, initial: Initial = None) -> KeyFormT:
        return self.form_class(
            data=data, initial=initial, request=self.request, config=self.config, letters=self.letters
        )

    def perform(self, form: KeyFormT, context: RequestContext) -> HttpResponse:
        human = settings.CLAVE_CAPTCHA == "off" or "captcha" in form.fields
        explain = human and settings.SIGNIN_MESSAGES == "guide"
        proof = service.prove(form.claim, form.cleaned_data["key"], context, human=human, explain=explain)
        return self._to_change(proof) if proof.temporary else self.proved(proof, form.cleaned_data, context)

    def proved(self, proof: Proof, typed: dict[str, object], context: RequestContext) -> HttpResponse:
        """Do what the key was required for; `typed` is the form's cleaned data. Raises `Refused`."""
        raise NotImplementedError

    def _to_change(self, proof: Proof) -> HttpResponse:
        """Start the change of a temporary key at its second step: the first one has just been done here."""
        data = {**proof_data(proof.holder), "version": proof.version, "temporary": proof.temporary}
        wizard = Wizard.begin(self.request, self.config.page("change"), "key", **data, back_to=self.back_after_change)
        return HttpResponseRedirect(self.config.url("change_key", wizard.run))

    def refused(self, form: KeyFormT, refused: Refused) -> HttpResponse:
        """Show the refusal; after a failed attempt add a captcha to the form."""
        if refused.code in ("wrong_key", "captcha_needed") and settings.CLAVE_CAPTCHA != "off":
            self.failed = True
            with_captcha = self.make_form(form.data)
            with_captcha._errors, with_captcha.cleaned_data = type(form.errors)(renderer=form.renderer), {}
            form = with_captcha
        return super().refused(form, refused)
