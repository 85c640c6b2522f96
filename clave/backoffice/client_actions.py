"""What a supervisor does with a client besides its settings: secrets, suspension, logo."""

from dataclasses import dataclass
from typing import ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from clave.audit import service as audit
from clave.backoffice.client_forms import CheckForm, LogoForm, NoFieldsForm, RotationForm
from clave.backoffice.client_pages import ClientWork
from clave.lib.outcome import Flash, Outcome
from clave.lib.request_context import RequestContext
from clave.sso import client_logos, clients
from clave.sso.certification import service as certification
from clave.sso.certification.points import Finding
from clave.sso.models import ClientKind


@dataclass(frozen=True)
class SecretMade(Outcome):
    """A client has a new secret, which is the outcome's secret."""

    kind: ClassVar[str] = "client_secret"
    name: str
    client_id: str
    at_once: bool


class RotateSecret(ClientWork[RotationForm]):
    """Gives a client a new secret."""

    form_class = RotationForm
    title = _("Crear un secreto nuevo")
    intro = _("El secreto nuevo se muestra una sola vez.")
    button = _("Crear el secreto")

    def find(self, **kwargs: object) -> HttpResponse | None:
        response = super().find(**kwargs)
        return response if self.client.kind == ClientKind.SECRET else HttpResponseRedirect(self.back)

    def complete(self, form: RotationForm, checked: None, context: RequestContext) -> Outcome:
        at_once = form.cleaned_data["at_once"]
        secret = clients.rotate_secret(self.client, context, str(self.operator.pk), at_once=at_once)
        return SecretMade(self.client.name, self.client.client_id, at_once, secret=secret)


class EndFormerSecret(ClientWork[NoFieldsForm]):
    """Ends a rotation before its seven days are over."""

    form_class = NoFieldsForm
    title = _("Terminar el secreto anterior")
    intro = _("Desde ahora sirve solo el secreto más nuevo. Compruebe antes que el sistema ya lo usa.")
    button = _("Sí, terminarlo")

    def complete(self, form: NoFieldsForm, checked: None, context: RequestContext) -> Outcome:
        clients.end_former_secret(self.client, context, str(self.operator.pk))
        return Flash(str(_("El secreto anterior ya no sirve.")), self.back)


class Suspend(ClientWork[NoFieldsForm]):
    form_class = NoFieldsForm
    title = _("Suspender el sistema")
    intro = _("Nadie podrá entrar, y todo lo que el sistema puede consultar hoy termina de inmediato.")
    button = _("Sí, suspender")

    def complete(self, form: NoFieldsForm, checked: None, context: RequestContext) -> Outcome:
        clients.set_active(self.client, False, context, str(self.operator.pk))
        return Flash(str(_("El sistema quedó suspendido.")), self.back)


class Resume(ClientWork[NoFieldsForm]):
    form_class = NoFieldsForm
    title = _("Reactivar el sistema")
    intro = _("Las personas podrán entrar otra vez. Lo que terminó al suspenderlo no vuelve.")
    button = _("Sí, reactivar")

    def complete(self, form: NoFieldsForm, checked: None, context: RequestContext) -> Outcome:
        clients.set_active(self.client, True, context, str(self.operator.pk))
        return Flash(str(_("El sistema quedó activo.")), self.back)


class SetLogo(ClientWork[LogoForm]):
    """Takes a client's logo; what it refuses changes nothing."""

    form_class = LogoForm
    template_name = "backoffice/client_logo.html"
    title = _("Logo del sistema")
    intro = _("Las personas lo ven cuando el sistema pide permiso para conocer sus datos.")
    button = _("Guardar el logo")

    def check(self, form: LogoForm, context: RequestContext) -> bytes:
        return client_logos.accepted(form.cleaned_data["logo"], "logo")

    def complete(self, form: LogoForm, checked: bytes, context: RequestContext) -> Outcome:
        client_logos.set_logo(self.client, checked, context, str(self.operator.pk))
        return Flash(str(_("El logo quedó guardado.")), self.back)


class RemoveLogo(ClientWork[NoFieldsForm]):
    """Takes a client's logo away."""

    form_class = NoFieldsForm
    title = _("Quitar el logo")
    button = _("Sí, quitarlo")

    def complete(self, form: NoFieldsForm, checked: None, context: RequestContext) -> Outcome:
        client_logos.set_logo(self.client, b"", context, str(self.operator.pk))
        return Flash(str(_("El logo quedó quitado.")), self.back)


class CheckClient(ClientWork[CheckForm]):
    """Visits the client's application and judges the eight points of a certification."""

    form_class = CheckForm
    template_name = "backoffice/client_check.html"
    title = _("Comprobar la integración")
    intro = _("Clave visita el sistema como lo haría el navegador de una persona, y prueba lo que haría un atacante.")
    button = _("Comprobar")
    changes = False
    found: list[Finding] | None = None

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        return self.page(self.make_form(initial={"url": self.client.home_url}))

    def context(self) -> dict[str, object]:
        return {**super().context(), "found": self.found}

    def perform(self, form: CheckForm, context: RequestContext) -> HttpResponse:
        audit.record("sso.client_checked", context, client=self.client.client_id, operator=str(self.operator.pk))
        data = form.cleaned_data
        self.found = certification.run(self.client, data["url"], form.person, data["logout_url"])
        return self.page(form)
