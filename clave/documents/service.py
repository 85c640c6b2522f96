"""Upload, storage and retrieval of documents. Source: mission.md, section 6; abuse case 32."""

import hashlib
import secrets
from datetime import timedelta
from pathlib import PurePath

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
    """The file was rejected; `code` is one of `WRONG`."""

    def __init__(self, code: str, field: str) -> None:
        super().__init__(code, str(WRONG[code]), field=field)


def accept_upload(file: "UploadedFile[bytes]", field: str) -> Document:
    """Validate, scan and store a file uploaded in the form field `field`. Raises `FileRefused`.

    Its type is determined by its content. If the scanner is unavailable, the document is quarantined.
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
    actual_kind, sanitised = examined(content, field)
    if actual_kind != kind:
        raise FileRefused("file_mismatch", field)
    state = _scan(content)
    if state == State.INFECTED:
        raise FileRefused("file_infected", field)
    return _store(name, kind, sanitised, state)


def examined(content: bytes, field: str) -> tuple[str, bytes]:
    """Return a file's type and what to keep of it, found out in a process of its own. Raises `FileRefused`."""
    try:
        process = isolated_process.run("clave.documents.examine", content=content, timeout=20)
    except TimeoutError:
        raise FileRefused("file_too_complex", field) from None
    message = process.stderr.decode(errors="replace")
    if process.returncode == 0 and message in TYPES:
        return message, process.stdout
    # A process killed for exceeding its limits writes nothing.
    raise FileRefused(message if process.returncode == 2 and message in WRONG else "file_too_complex", field)


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
    """Mark the document as needed by a use case, so that it is not deleted as abandoned."""
    Document.objects.filter(pk=document.pk).update(taken=True)


class NotReadable(Exception):
    """The scanner has not yet declared the document clean."""


def contents(document: Document) -> bytes:
    """Return a document's content; the caller records who reads it and why. Raises `NotReadable`."""
    if not document.is_readable:
        raise NotReadable
    return _open(document)


def _open(document: Document) -> bytes:
    with storages["vault"].open(document.name) as file:
        return box().decrypt(file.read())


def scan_again() -> int:
    """Rescan quarantined documents; return how many were settled."""
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
    """Delete uploads that no use case took; return how many."""
    abandoned = Document.objects.filter(taken=False, created_at__lt=clock.now() - ABANDONED)[:500]
    with transaction.atomic():
        throw_away(*abandoned)
    return len(abandoned)
