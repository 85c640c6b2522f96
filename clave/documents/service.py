"""Taking in what people bring, giving it to who may read it. Source: mission.md, section 6; abuse case 32."""

import hashlib
import secrets
from datetime import timedelta
from pathlib import PurePath
from typing import Any

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from clave.documents import scanner
from clave.documents.models import Document, State
from clave.lib import clock, isolated_process
from clave.lib.crypto import box
from clave.lib.outcome import Refused
from clave.lib.text import unexpected_characters

log = structlog.get_logger(__name__)

MOST_BYTES = 1024 * 1024
ENDINGS = {"jpg": "jpg", "jpeg": "jpg", "png": "png", "pdf": "pdf"}
TYPES = {"jpg": "image/jpeg", "png": "image/png", "pdf": "application/pdf"}
WRONG = {
    "file_empty": _("El archivo está vacío."),
    "file_size": _("El archivo pesa más de 1 MB. Use uno más liviano."),
    "file_ending": _("El archivo debe terminar en .jpg, .png o .pdf."),
    "file_kind": _("El archivo no es una imagen JPG o PNG ni un documento PDF."),
    "file_mismatch": _("El archivo no es lo que dice su nombre. Guárdelo de nuevo como .jpg, .png o .pdf."),
    "file_dimensions": _("La imagen es demasiado grande. Use una de menos de 20 millones de puntos."),
    "file_broken": _("El archivo está dañado y no se puede leer. Guárdelo de nuevo."),
    "file_locked": _("El documento tiene contraseña. Súbalo sin contraseña."),
    "file_active": _("El documento contiene programas o archivos adentro. Imprímalo como PDF y súbalo de nuevo."),
    "file_too_complex": _("El archivo es demasiado complejo. Imprímalo como PDF o súbalo como imagen."),
    "file_infected": _("El antivirus encontró un problema en el archivo. No se puede subir."),
}
ABANDONED = timedelta(days=1)


class FileRefused(Refused):
    """The file is not taken in; `code` is one of `WRONG`."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(code, str(WRONG[code]), field=field)


def accept_upload(file: "UploadedFile[Any]", field: str) -> Document:
    """Take in a file that was brought in `field` of a form. Raises `FileRefused`.

    What it is, is decided by what it holds. When the scanner does not answer, it waits in quarantine.
    """
    name = "".join(char for char in (file.name or "") if char not in unexpected_characters(file.name or ""))[-120:]
    kind = ENDINGS.get(PurePath(name).suffix[1:].lower())
    if not file.size:
        raise FileRefused("file_empty", field)
    if file.size > MOST_BYTES:
        raise FileRefused("file_size", field)
    if kind is None:
        raise FileRefused("file_ending", field)
    content = file.read()
    found, kept = _examine(content, field)
    if found != kind:
        raise FileRefused("file_mismatch", field)
    state = _scan(content)
    if state == State.INFECTED:
        raise FileRefused("file_infected", field)
    return _store(name, kind, kept, state)


def _examine(content: bytes, field: str) -> tuple[str, bytes]:
    try:
        done = isolated_process.run("clave.documents.examine", content=content, timeout=20)
    except TimeoutError:
        raise FileRefused("file_too_complex", field) from None
    said = done.stderr.decode(errors="replace")
    if done.returncode == 0 and said in TYPES:
        return said, done.stdout
    # A process that was stopped for using too much says nothing.
    raise FileRefused(said if done.returncode == 2 and said in WRONG else "file_too_complex", field)


def _scan(content: bytes) -> State:
    if not settings.CLAMD_URL:
        return State.CLEAN
    try:
        return State.CLEAN if scanner.is_clean(content, settings.CLAMD_URL) else State.INFECTED
    except scanner.ScannerDown:
        log.warning("scanner.down")
        return State.QUARANTINE


def _store(name: str, kind: str, content: bytes, state: State) -> Document:
    with transaction.atomic():
        document = Document.objects.create(
            name=secrets.token_hex(24),
            original=name,
            kind=kind,
            size=len(content),
            digest=hashlib.sha256(content).hexdigest(),
            state=state,
            created_at=clock.now(),
        )
        storages["vault"].save(document.name, ContentFile(box().encrypt(content)))
    return document


def take(document: Document) -> None:
    """Say that a use case needs the document from now on."""
    Document.objects.filter(pk=document.pk).update(taken=True)


class NotReadable(Exception):
    """The scanner has not said yet that the document is clean."""


def contents(document: Document) -> bytes:
    """Return what a document holds; the caller records who reads it and why. Raises `NotReadable`."""
    if not document.is_readable:
        raise NotReadable
    return _open(document)


def _open(document: Document) -> bytes:
    with storages["vault"].open(document.name) as file:
        return box().decrypt(file.read())


def scan_again() -> int:
    """Scan what waits in quarantine; return how many were settled."""
    settled = 0
    for document in Document.objects.filter(state=State.QUARANTINE).order_by("created_at")[:50]:
        state = _scan(_open(document))
        if state == State.QUARANTINE:
            break
        Document.objects.filter(pk=document.pk).update(state=state)
        settled += 1
    return settled


def throw_away(*documents: Document) -> None:
    """Delete documents and their files."""
    for document in documents:
        name = document.name
        document.delete()
        transaction.on_commit(lambda name=name: storages["vault"].delete(name))  # type: ignore[misc]


def clear() -> int:
    """Throw away what was brought and never used; return how many."""
    found = Document.objects.filter(taken=False, created_at__lt=clock.now() - ABANDONED)[:500]
    with transaction.atomic():
        throw_away(*found)
    return len(found)
