"""Import pages: upload a file, preview it, load it, follow the progress."""

import secrets

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clave.lib import clock
from clave.lib.request_context import RequestContext
from clave.otec_portal import service
from clave.otec_portal.access import OtecAccount, OtecPage, for_otec
from clave.training import spreadsheets
from clave.training.course_import import COLUMNS, EXAMPLE
from clave.training.models import ImportJob, Stage
from clave.training.tasks import work_on_imports
from clave.web.errors import error_page
from clave.web.forms import ClaveForm
from clave.web.middleware import context_of
from clave.web.rendering import show


class UploadForm(ClaveForm):
    has_files = True
    table = forms.FileField(
        label=_("Archivo CSV o Excel (.xlsx)"),
        help_text=_("Una fila por participante. Hasta 100.000 filas y 20 MB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )

    def clean_table(self) -> "UploadedFile[bytes]":
        table: UploadedFile[bytes] = self.cleaned_data["table"]
        self.content = bytes(table.read())
        try:
            spreadsheets.kind_of(self.content)
        except spreadsheets.Unreadable:
            raise ValidationError(_("El archivo no es una tabla CSV ni un libro de Excel."), code="format") from None
        return table


class Upload(OtecPage[UploadForm]):
    """The upload page; the file is checked before anything is loaded."""

    form_class = UploadForm
    template_name = "otec_portal/import.html"
    title = _("Cargar cursos e inscritos")
    intro = _("Primero revisamos el archivo y le mostramos lo que contiene. Nada se carga hasta que usted lo confirma.")
    button = _("Revisar archivo")

    def context(self) -> dict[str, object]:
        return {"columns": COLUMNS, "imports": ImportJob.objects.filter(otec=self.otec).order_by("-created_at")[:5]}

    def perform(self, form: UploadForm, context: RequestContext) -> HttpResponse:
        job = ImportJob.objects.create(
            id=secrets.token_hex(16),
            otec=self.otec,
            name=form.cleaned_data["table"].name[:120],
            content=form.content,
            created_at=clock.now(),
        )
        work_on_imports.enqueue()
        return HttpResponseRedirect(reverse("body_import_page", args=[job.pk]))


@for_otec
def page(request: HttpRequest, account: OtecAccount, job: str) -> HttpResponse:
    """Show an import; on POST load it, either all of it or (`buenas`) only the valid rows."""
    import_job = ImportJob.objects.filter(pk=job, otec=account.otec).defer("content").first()
    if import_job is None:
        return error_page(request, 404)
    if request.method == "POST":
        can_load = import_job.stage == Stage.CHECKED and (not import_job.bad or "buenas" in request.POST)
        if can_load:
            service.start_import(import_job, account.holder, context_of(request))
        return HttpResponseRedirect(request.path)
    response = show(request, "otec_portal/import_page.html", {"job": import_job, "preview": import_job.preview})
    if import_job.stage in (Stage.RECEIVED, Stage.LOADING):
        response.headers["Refresh"] = "2"
    return response


def template(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Send the table template with one example row."""
    if kind not in spreadsheets.KINDS:
        return error_page(request, 404)
    return spreadsheets.download("plantilla-clave", kind, COLUMNS, [EXAMPLE])
