"""Solicitud de CS para facilitador extranjero: request, status and key recovery by the company."""

from typing import TypeVar, Unpack

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clave.credentials import throttling
from clave.documents import service as documents
from clave.documents.models import Document
from clave.holders.models import Holder
from clave.holders.profiles import COMPANY, DocumentMixin, ProfileForm, document_of
from clave.holders.service import holder_from_proof, proof_data
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.text import Text
from clave.selfservice.common import ProfilePage
from clave.selfservice.facilitators import service
from clave.selfservice.fields import IDENTITY, IdentityMixin, QuestionMixin
from clave.selfservice.models import FacilitatorRequest
from clave.web.errors import refusal_page
from clave.web.form_pages import FormPage, StepPage
from clave.web.forms import (
    CaptchaField,
    ClaveForm,
    EmailField,
    FormArguments,
    Initial,
    RutField,
    SecretField,
    TextField,
    Typed,
)
from clave.web.rendering import show
from clave.web.wizard import Wizard

TITLE = _("Solicitud de CS para facilitador extranjero")
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_FILES = _("Hasta 1 MB, en formato .jpg, .png o .pdf.")


def file_field(label: Text) -> forms.FileField:
    return forms.FileField(
        label=label,
        help_text=_FILES,
        # The document service refuses empty files with its own message.
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".jpg,.jpeg,.png,.pdf"}),
        error_messages={"invalid": _("Elija un archivo de su equipo.")},
    )


class FileForm(ClaveForm):
    """A form with a file; a file uploaded in an earlier attempt is not required again."""

    has_files = True
    file_name: str

    def __init__(self, *, uploaded: Document | None = None, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        if uploaded:
            field = self.fields[self.file_name]
            field.required = False
            field.help_text = gettext("Ya recibimos «{name}». Elija otro archivo solo si quiere cambiarlo.").format(
                name=uploaded.original
            )


FileFormT = TypeVar("FileFormT", bound=FileForm)


class StartForm(ProfileForm):
    requires_representative = True
    key = SecretField(label=_("Clave SENCE de la empresa"), autocomplete="current-password")


class Start(ProfilePage[StartForm]):
    cached_blank = True
    config = COMPANY
    form_class = StartForm
    template_name = "selfservice/facilitator_start.html"
    title = TITLE
    intro = _("Tenga a mano el RUT y la clave de la empresa, y los documentos del facilitador. Toma unos 10 minutos.")
    button = _("Validar")
    step = (1, 3)

    def perform(self, form: StartForm, context: RequestContext) -> HttpResponse:
        company = service.prove_company(form.claim, form.cleaned_data["key"], context)
        about = {**proof_data(company), "representative": form.claim.representative}
        wizard = Wizard.begin(self.request, "facilitator_request", "affidavit", **about)
        return HttpResponseRedirect(reverse("facilitator_request_affidavit", args=[wizard.run]))


class RequestStep(StepPage[FileFormT]):
    flow = "facilitator_request"
    title = TITLE

    company: Holder

    def prepare(self) -> None:
        self.company = holder_from_proof(self.wizard.data)

    def uploaded(self) -> Document | None:
        """Return the file uploaded in an earlier attempt at this step."""
        pk = self.wizard.data.get(self.name)
        return Document.objects.filter(pk=pk).first() if pk else None

    def make_form(self, data: Typed = None, initial: Initial = None) -> FileFormT:
        return self.form_class(data=data, initial=initial, request=self.request, uploaded=self.uploaded())

    def _submitted(self, context: RequestContext) -> HttpResponseBase:
        """Store the file before validating the rest: browsers cannot prefill a file field on the next attempt."""
        upload = self.request.FILES.get(self.form_class.file_name)
        if upload:
            try:
                document = documents.accept_upload(upload, self.form_class.file_name)
            except documents.FileRefused as refused:
                form = self.make_form(self.request.POST)
                form.is_valid()
                return self.refused(form, refused)
            self.wizard.allow(self.name, **{self.name: str(document.pk)})
        return super()._submitted(context)


class AffidavitForm(FileForm):
    file_name = "affidavit"
    affidavit = file_field(_("Declaración jurada completa y firmada"))


class Affidavit(RequestStep[AffidavitForm]):
    form_class = AffidavitForm
    template_name = "selfservice/facilitator_affidavit.html"
    name = "affidavit"
    intro = _("Descargue la declaración, que ya trae los datos de la empresa. Complétela, fírmela y súbala aquí.")
    button = _("Continuar")
    step = (2, 3)

    def context(self) -> dict[str, object]:
        return {"template_url": reverse("facilitator_request_letter", args=[self.wizard.run])}

    def perform(self, form: AffidavitForm, context: RequestContext) -> HttpResponse:
        return self.go("data")


def letter(request: HttpRequest, run: str) -> HttpResponse:
    """Send the affidavit, filled in with the company's data."""
    try:
        wizard = Wizard.load(request, "facilitator_request", run, "affidavit")
        company = holder_from_proof(wizard.data)
    except Refused as refused:
        return refusal_page(request, refused, {"restart": reverse("facilitator_request")})
    response = HttpResponse(service.letter(company, wizard.data["representative"]), content_type=DOCX)
    response.headers["Content-Disposition"] = 'attachment; filename="declaracion-jurada-facilitador.docx"'
    return response


class DataForm(IdentityMixin, QuestionMixin, DocumentMixin, FileForm):
    file_name = "scan"
    scan = file_field(_("Documento de identidad escaneado"))
    children = forms.IntegerField(label=_("Cantidad de hijos"), min_value=0, max_value=30, initial=0)
    email = EmailField(label=_("Correo electrónico del facilitador"), help_text=_("Ahí llega su clave temporal."))
    groups = [
        (_("Documento de identidad"), ["document_kind", "document", "scan"]),
        (_("Datos del facilitador"), [*IDENTITY[:5], "children", "country", "email", "question", "answer"]),
    ]

    def adapt(self) -> None:
        super().adapt()
        self.fields["children"].widget.attrs |= {"inputmode": "numeric", "class": "w-corto"}
        for name in ("names", "paternal", "email"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def clean(self) -> dict[str, object]:
        data = super().clean() or self.cleaned_data
        if data.get("document_kind") and data.get("document"):
            data["identifier"] = document_of(data)
        return data


class Data(RequestStep[DataForm]):
    form_class = DataForm
    name = "data"
    intro = _("Escriba los datos del facilitador como están en su documento y suba el documento escaneado.")
    button = _("Realizar Solicitud")
    step = (3, 3)
    changes = True

    def check(self, form: DataForm, context: RequestContext) -> FacilitatorRequest:
        return service.describe(form.cleaned_data)

    def complete(self, form: DataForm, checked: FacilitatorRequest, context: RequestContext) -> Outcome:
        affidavit = Document.objects.get(pk=self.wizard.data["affidavit"])
        scan = Document.objects.get(pk=self.wizard.data["data"])
        representative = str(self.wizard.data["representative"])
        return service.file_request(checked, self.company, representative, (affidavit, scan), context)


class StateForm(ClaveForm):
    folio = TextField(label=_("Folio"), max_length=20, width="w-corto", help_text=_("Ejemplo: 123-2026"))
    rut = RutField(label=_("RUT Empresa"))
    captcha = CaptchaField()


class State(FormPage[StateForm]):
    """The page that shows the state of a request, found by folio and RUT Empresa."""

    cached_blank = True
    form_class = StateForm
    title = _("Estado de una solicitud de facilitador extranjero")
    intro = _("Escriba el folio que recibió y el RUT de la empresa.")
    button = _("Consultar")

    def perform(self, form: StateForm, context: RequestContext) -> HttpResponse:
        limits = throttling.limits("folio", str(form.cleaned_data["rut"]), context)
        limits.reserve()
        facilitator_request = service.find_request(form.cleaned_data["folio"], str(form.cleaned_data["rut"]))
        if facilitator_request is None:
            limits.fail()
            raise Refused("unknown_folio", gettext("No hay una solicitud con ese folio y ese RUT."), field="folio")
        limits.release()
        return show(self.request, "selfservice/facilitator_state.html", {"asked": facilitator_request})


class KeyForm(DocumentMixin, StartForm):
    """The company's sign-in, then the facilitator's document."""


class Key(ProfilePage[KeyForm]):
    """The page where a company recovers the key of one of its facilitators."""

    cached_blank = True
    config = COMPANY
    form_class = KeyForm
    title = _("Recuperar CS para facilitador extranjero")
    intro = _("Tenga a mano el RUT y la clave de la empresa, y el documento del facilitador. Toma unos 3 minutos.")
    button = _("Recuperar Clave")
    changes = True

    def check(self, form: KeyForm, context: RequestContext) -> Holder:
        company = service.prove_company(form.claim, form.cleaned_data["key"], context)
        return service.own_facilitator(company, document_of(form.cleaned_data), context)

    def complete(self, form: KeyForm, checked: Holder, context: RequestContext) -> Outcome:
        return service.send_key(checked, context)
