"""What people bring is decided by what it holds; what could do harm is refused with a word (abuse case 32)."""

import io
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import storages
from PIL import Image
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from clave.documents import service as documents
from clave.documents.models import Document, State
from clave.lib import clock
from tests import clamd, files
from tests.story import Page, Visitor

AUSTRAL, ROSA = "76543210-3", "33333333-3"

HOSTILE: dict[str, tuple[Any, str, str]] = {
    "nothing": (lambda: b"", "a.pdf", "está vacío"),
    "one byte too many": (lambda: files.exactly_one_megabyte() + b"\n", "a.pdf", "más de 1 MB"),
    "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg", "debe terminar en"),
    "svg as png": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.png", "no es una imagen"),
    "html as jpg": (lambda: b"<script>alert(1)</script>", "a.jpg", "no es una imagen"),
    "gif as jpg": (lambda: files.image("GIF"), "a.jpg", "no es una imagen"),
    "zip as pdf": (files.zipped, "a.pdf", "no es una imagen"),
    "program as png": (lambda: b"MZ\x90\0" + b"\0" * 500, "a.png", "no es una imagen"),
    "png as jpg": (files.image, "a.jpg", "no es lo que dice su nombre"),
    "pdf as png": (files.pdf, "a.png", "no es lo que dice su nombre"),
    "two endings": (files.image, "a.png.exe", "debe terminar en"),
    "no ending": (files.image, "png", "debe terminar en"),
    "junk before the pdf": (lambda: b"<html>" + files.pdf(), "a.pdf", "no es una imagen"),
    "zip behind the pdf": (lambda: files.pdf(behind=files.zipped()), "a.pdf", "dañado"),
    "cut png": (lambda: files.image()[:-30], "a.png", "dañado"),
    "cut jpg": (lambda: files.image("JPEG", (900, 900))[:2000], "a.jpg", "dañado"),
    "cut pdf": (lambda: files.pdf()[:-40], "a.pdf", "dañado"),
    "pdf of nothing": (lambda: b"%PDF-1.7\n%%EOF\n", "a.pdf", "dañado"),
    "locked pdf": (files.locked, "a.pdf", "tiene contraseña"),
    "script when opened": (
        lambda: files.pdf(b"<< /S /JavaScript /JS (app.alert(1)) >>", catalog=b"/OpenAction 4 0 R"),
        "a.pdf",
        "contiene programas",
    ),
    "script under another spelling": (
        lambda: files.pdf(b"<< /S /J#61vaScript /J#53 (app.alert(1)) >>", catalog=b"/OpenAction 4 0 R"),
        "a.pdf",
        "contiene programas",
    ),
    "script nobody points at": (lambda: files.pdf(b"<< /JS (app.alert(1)) >>"), "a.pdf", "contiene programas"),
    "script in a compressed stream": (files.hidden_script, "a.pdf", "contiene programas"),
    "file inside": (
        lambda: files.pdf(b"<< /Names [] >>", catalog=b"/Names << /EmbeddedFiles 4 0 R >>"),
        "a.pdf",
        "contiene programas",
    ),
    "starts a program": (
        lambda: files.pdf(b"<< /S /Launch /F (calc.exe) >>", page=b"/Annots [<< /A 4 0 R >>]"),
        "a.pdf",
        "contiene programas",
    ),
    "acts by itself": (lambda: files.pdf(page=b"/AA << /O 3 0 R >>"), "a.pdf", "contiene programas"),
    "xfa form": (lambda: files.pdf(catalog=b"/AcroForm << /XFA [] >>"), "a.pdf", "contiene programas"),
    "two thousand million points": (lambda: files.huge_png(50_000, 40_000)[:5000], "a.png", "demasiado grande"),
    "a picture that unpacks to gigabytes": (lambda: files.huge_png(11_000, 11_000), "a.png", "demasiado grande"),
    "a comment that unpacks to 60 MB": (files.text_bomb, "a.png", "dañado"),
    "a stream that unpacks to 150 MB": (files.bomb_in_a_stream, "a.pdf", "dañado"),
}


@pytest.fixture
def at_the_affidavit(visitor: Visitor) -> Visitor:
    visitor.open("/empresa/facilitador")
    visitor.send(rut=AUSTRAL, representative=ROSA, key="CA739105")
    assert visitor.page.shows("Paso 2 de 3")
    return visitor


def bring(visitor: Visitor, content: bytes, name: str) -> Page:
    return visitor.send(affidavit=files.brought(content, name))


@pytest.mark.abuse(32)
@pytest.mark.parametrize("which", HOSTILE)
@pytest.mark.slow
def test_a_hostile_file_is_refused_with_a_clear_message(at_the_affidavit: Visitor, which: str) -> None:
    make, name, message = HOSTILE[which]
    page = bring(at_the_affidavit, make(), name)
    assert page.shows(message, "Paso 2 de 3") and page.status == 400
    assert not Document.objects.exists()


@pytest.mark.abuse(32)
def test_one_megabyte_exactly_is_taken(at_the_affidavit: Visitor) -> None:
    content = files.exactly_one_megabyte()
    assert len(content) == 1024 * 1024
    assert bring(at_the_affidavit, content, "declaración firmada.pdf").shows("Paso 3 de 3")
    kept = Document.objects.get()
    assert documents.contents(kept) == content and kept.original == "declaración firmada.pdf"


@pytest.mark.abuse(32)
def test_a_picture_is_painted_anew_and_turned_upright(at_the_affidavit: Visitor) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "at home, 33.4489 S"
    dirty = files.image("JPEG", exif=exif) + b"<script>alert(1)</script>" + files.zipped()
    assert bring(at_the_affidavit, dirty, "C:\\fotos\\..\\..\\carnet.JPG").shows("Paso 3 de 3")
    kept = Document.objects.get()
    clean = documents.contents(kept)
    assert b"script" not in clean and b"at home" not in clean and b"PK\x03\x04" not in clean
    with Image.open(io.BytesIO(clean)) as picture:
        assert picture.size == (40, 60) and not picture.getexif()
    assert "/" not in kept.original and "\\" not in kept.original and kept.original.endswith("carnet.JPG")


@pytest.mark.abuse(32, 33)
def test_what_lies_in_the_store_has_a_random_name_and_cannot_be_read_there(at_the_affidavit: Visitor) -> None:
    bring(at_the_affidavit, files.pdf(comment=b"my-secret-words"), "a.pdf")
    kept = Document.objects.get()
    with storages["vault"].open(kept.name) as file:
        assert b"my-secret-words" not in file.read()
    assert len(kept.name) == 48 and Visitor().open(f"/static/{kept.name}").status == 404


@pytest.mark.abuse(32)
@pytest.mark.slow
@pytest.mark.storeless
def test_looking_into_any_file_takes_less_than_256_mb() -> None:
    for which in ("a stream that unpacks to 150 MB", "a comment that unpacks to 60 MB"):
        watch = (
            "import resource,subprocess,sys;"
            "subprocess.run([sys.executable,'-m','clave.documents.examine'],stdin=sys.stdin,stdout=subprocess.DEVNULL,"
            "stderr=subprocess.DEVNULL);print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", watch], input=HOSTILE[which][0](), capture_output=True, check=True)
        assert int(done.stdout) < 256 * 1024, which


@pytest.fixture(scope="session")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clamd.running(tmp_path_factory.mktemp("clamd") / "c") as url:
        yield url


@pytest.mark.abuse(32)
@pytest.mark.needs("clamd")
def test_what_the_scanner_finds_is_refused(at_the_affidavit: Visitor, settings: Settings, scanner: str) -> None:
    settings.CLAMD_URL = scanner
    page = bring(at_the_affidavit, files.pdf(comment=files.EICAR), "a.pdf")
    assert page.shows("El antivirus encontró un problema") and page.status == 400
    assert not Document.objects.exists()
    assert bring(at_the_affidavit, files.pdf(), "a.pdf").shows("Paso 3 de 3")
    assert Document.objects.get().state == State.CLEAN


@pytest.mark.abuse(32)
@pytest.mark.needs("clamd")
def test_when_the_scanner_does_not_answer_a_file_waits_in_quarantine(
    at_the_affidavit: Visitor, settings: Settings, scanner: str
) -> None:
    settings.CLAMD_URL = "unix:///nowhere/clamd.sock"
    assert bring(at_the_affidavit, files.pdf(), "a.pdf").shows("Paso 3 de 3")
    kept = Document.objects.get()
    assert kept.state == State.QUARANTINE
    with pytest.raises(documents.NotReadable):
        documents.contents(kept)
    assert documents.scan_again() == 0
    settings.CLAMD_URL = scanner
    assert documents.scan_again() == 1
    assert documents.contents(Document.objects.get())


def test_what_was_brought_and_never_used_is_thrown_away(
    at_the_affidavit: Visitor, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    bring(at_the_affidavit, files.pdf(), "a.pdf")
    kept = Document.objects.get()
    assert documents.clear() == 0
    Document.objects.update(created_at=clock.now() - timedelta(days=2))
    with django_capture_on_commit_callbacks(execute=True):
        assert documents.clear() == 1
    assert not Document.objects.exists() and not storages["vault"].exists(kept.name)
