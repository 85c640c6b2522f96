"""Back-office sign-in, invitations and an operator's own passkeys."""

from typing import Unpack

import segno
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.audit import service as audit
from clave.backoffice import operator_accounts, passkeys
from clave.backoffice.access import EVERYBODY, OperatorPage, enter, for_roles
from clave.backoffice.models import Operator
from clave.credentials.policy import REASONS, PolicyViolation
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.web.form_pages import FormPage, StepPage
from clave.web.forms import ClaveForm, EmailField, FieldArguments, Initial, SecretField, TextField, Typed
from clave.web.middleware import context_of
from clave.web.wizard import Wizard


class CodeField(forms.CharField):
    """A typed code. Its format is not validated here: the service refuses all wrong codes alike."""

    def __init__(self, **arguments: Unpack[FieldArguments]) -> None:
        super().__init__(**arguments)
        self.widget.attrs |= {"class": "w-corto", "spellcheck": "false"}

    def clean(self, value: object) -> str:
        return "".join(str(super().clean(value)).split())


class AuthenticatorCodeField(CodeField):
    """The six digits of an authenticator, spaces allowed."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Código de su aplicación"),
            help_text=_("Los 6 números que muestra ahora su aplicación de códigos."),
        )
        self.widget.attrs |= {"autocomplete": "one-time-code", "inputmode": "numeric"}


class SignInForm(ClaveForm):
    email = EmailField(label=_("Correo"))
    password = SecretField(label=_("Clave de operador"), autocomplete="current-password")
    code = AuthenticatorCodeField()


class SignIn(FormPage[ClaveForm]):
    form_class: type[ClaveForm] = SignInForm
    template_name = "backoffice/signin.html"
    title = _("Mesa de ayuda: ingresar")
    button = _("Ingresar")

    def context(self) -> dict[str, object]:
        return {"passkey_options": passkeys.signin_options(self.request)}

    def perform(self, form: ClaveForm, context: RequestContext) -> HttpResponse:
        data = form.cleaned_data
        operator = operator_accounts.sign_in(data["email"], data["password"], data["code"], context)
        enter(self.request, operator)
        return HttpResponseRedirect(reverse("backoffice"))


class PasskeyForm(ClaveForm):
    answer = forms.CharField(widget=forms.HiddenInput, max_length=8000)


class PasskeySignIn(SignIn):
    """The endpoint for the browser's answer to the sign-in page's passkey challenge."""

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        return HttpResponseRedirect(reverse("backoffice_signin"))

    def make_form(self, data: Typed = None, initial: Initial = None) -> ClaveForm:
        return PasskeyForm(data=data, request=self.request) if data is not None else SignInForm(request=self.request)

    def perform(self, form: ClaveForm, context: RequestContext) -> HttpResponse:
        enter(self.request, passkeys.sign_in(self.request, form.cleaned_data["answer"], context))
        return HttpResponseRedirect(reverse("backoffice"))

    def refused(self, form: ClaveForm, refused: Refused) -> HttpResponse:
        empty = SignInForm(data={}, request=self.request)
        empty._errors, empty.cleaned_data = type(form.errors)(renderer=form.renderer), {}
        return super().refused(empty, refused)


class InvitationForm(ClaveForm):
    email = EmailField(label=_("Correo"))
    code = CodeField(label=_("Código de invitación"))
    password = SecretField(
        label=_("Elija su clave de operador"),
        autocomplete="new-password",
        help_text=_("De 15 a 64 caracteres. Una frase sirve."),
    )
    again = SecretField(label=_("Repita la clave"), autocomplete="new-password")

    def clean(self) -> dict[str, object]:
        data = self.cleaned_data
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.refuse("keys_differ", str(_("Las dos claves no son iguales.")), "again")
        return data


class Invitation(FormPage[InvitationForm]):
    """The page to accept an invitation: choose a password, then set up a second factor."""

    cached_blank = True
    form_class = InvitationForm
    title = _("Mesa de ayuda: activar mi cuenta")
    intro = _("Escriba el código que recibió por correo y elija una clave. Después necesita una aplicación de códigos.")
    button = _("Continuar")
    step = (1, 2)
    back = "/backoffice/ingresar"

    def perform(self, form: InvitationForm, context: RequestContext) -> HttpResponse:
        data = form.cleaned_data
        try:
            operator = operator_accounts.accept_invitation(data["email"], data["code"], data["password"], context)
        except PolicyViolation as violation:
            for reason in violation.reasons:
                form.refuse(reason, str(REASONS[reason]), "password")
            return self.page(form, status=400)
        wizard = Wizard.begin(self.request, "backoffice_invitation", "code", operator=operator.pk)
        return HttpResponseRedirect(reverse("backoffice_invitation_code", args=[wizard.run]))


class ConfirmForm(ClaveForm):
    code = AuthenticatorCodeField()


class ConfirmCode(StepPage[ConfirmForm]):
    """The step that shows the second factor's QR code and asks for a code to confirm it."""

    form_class = ConfirmForm
    template_name = "backoffice/second_factor.html"
    flow = "backoffice_invitation"
    name = "code"
    title = _("Mesa de ayuda: aplicación de códigos")
    intro = _("Lea la imagen con su aplicación de códigos y escriba el código que muestra.")
    button = _("Activar mi cuenta")
    step = (2, 2)

    @property
    def operator(self) -> Operator:
        return Operator.objects.get(pk=self.wizard.data["operator"])

    def context(self) -> dict[str, object]:
        picture = segno.make(operator_accounts.totp_uri(self.operator), error="m").svg_data_uri(scale=5, border=3)
        return {"picture": picture, "secret": self.operator.totp_secret}

    def perform(self, form: ConfirmForm, context: RequestContext) -> HttpResponse:
        operator_accounts.confirm(self.operator, form.cleaned_data["code"], context)
        self.wizard.end()
        return HttpResponseRedirect(reverse("backoffice_signin"))


@for_roles(*EVERYBODY)
def sign_out(request: HttpRequest, operator: Operator) -> HttpResponse:
    if request.method == "POST":
        audit.record("operator.signout", context_of(request), operator=str(operator.pk))
        request.session.flush()
        return HttpResponseRedirect(reverse("backoffice_signin"))
    return HttpResponseRedirect(reverse("backoffice"))


class NewPasskeyForm(ClaveForm):
    label = TextField(label=_("Nombre de la llave"), max_length=60, help_text=_("Ejemplo: mi teléfono."))
    code = AuthenticatorCodeField()
    answer = forms.CharField(widget=forms.HiddenInput, max_length=8000, required=False)

    def clean(self) -> dict[str, object]:
        if not self.cleaned_data.get("answer") and not self.errors_so_far:
            self.refuse("no_script", str(_("Su navegador no creó la llave. Necesita permitir JavaScript aquí.")))
        return self.cleaned_data


class MyAccess(OperatorPage[NewPasskeyForm]):
    """The page to manage one's own passkeys."""

    form_class = NewPasskeyForm
    template_name = "backoffice/passkeys.html"
    title = _("Mis llaves de acceso")
    intro = _("Con una llave de acceso ingresa sin escribir su clave ni un código.")
    button = _("Crear llave de acceso")

    def context(self) -> dict[str, object]:
        options = passkeys.registration_options(self.request, self.operator)
        known = self.operator.passkeys.order_by("pk")
        return {**super().context(), "passkeys": known, "passkey_options": options}

    def perform(self, form: NewPasskeyForm, context: RequestContext) -> HttpResponse:
        data = form.cleaned_data
        # A passkey outlasts the session, so someone at an unattended computer must not be able to create one.
        operator_accounts.check_code(self.operator, data["code"], context)
        passkeys.register(self.request, self.operator, data["answer"], data["label"], context)
        return HttpResponseRedirect(reverse("backoffice_access"))


@for_roles(*EVERYBODY)
def remove_passkey(request: HttpRequest, operator: Operator, passkey: int) -> HttpResponse:
    if request.method == "POST":
        passkeys.remove(operator, passkey, context_of(request))
    return HttpResponseRedirect(reverse("backoffice_access"))
