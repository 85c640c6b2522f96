"""The signed paper of a sworn statement, and verifying it."""

import io
import re
from xml.etree import ElementTree

import pytest
from django.conf import settings as django_settings
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader
from pytest_django import Settings

from clave.statements.models import Statement
from clave.statements.tasks import make_papers
from clave.training.models import Action
from tests.story import Visitor
from tests.test_statements import issue, issue_for_otec, participant, the_paper


@pytest.mark.abuse(34, 35)
def test_the_paper_is_an_accessible_archival_signed_document(ended: Action, otec: Visitor) -> None:
    _camila, folio, pdf = the_paper(ended, otec)
    reader = PdfReader(io.BytesIO(pdf))
    text = " ".join(page.extract_text() for page in reader.pages)
    for words in (
        folio,
        "Camila Rojas Soto",
        "11.111.111-1",
        "Contadora #let x",
        "Siempre Viva 742 *",
        "83 %",
        "aprobado",
    ):
        assert words in re.sub(r"\s+", " ", text), words
    assert f"/verificar/{folio}" in text.replace("\n", "")
    assert reader.xmp_metadata
    metadata = ElementTree.fromstring(
        reader.xmp_metadata.stream.get_data().decode().split("?>", 1)[1].rsplit("<?", 1)[0]
    )
    said = {name: text for each in metadata.iter() for name, text in each.attrib.items()}
    assert (
        said["{http://www.aiim.org/pdfa/ns/id/}part"] == "2" and said["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
    )
    assert said["{http://www.aiim.org/pdfa/ns/id/}conformance"] == "A"
    signature = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
    own = ValidationContext(trust_roots=[signature.signer_cert], allow_fetching=False)
    status = validate_pdf_signature(signature, own)
    assert status.intact and status.valid and str(status.coverage).endswith("ENTIRE_FILE")
    forged = pdf.replace(b"/Type", b"/Typf", 1)
    with pytest.raises(Exception):  # noqa: B017 (a spoilt file fails in many ways, or its signature does)
        assert validate_pdf_signature(PdfFileReader(io.BytesIO(forged)).embedded_signatures[0], own).intact


@pytest.mark.abuse(35)
def test_anybody_verifies_by_folio_or_by_the_file(ended: Action, otec: Visitor) -> None:
    _camila, folio, pdf = the_paper(ended, otec)
    stranger = Visitor()
    stranger.open("/verificar")
    page = stranger.send(folio=folio)
    assert page.url == f"/verificar/{folio}" and page.shows(
        "Declaración válida", "Excel intermedio", "…111-1", "Capacita Austral SpA"
    )
    for private in ("Camila", "11.111.111", "Contadora", "Siempre Viva", "1 hora"):
        assert private not in page.text
    for content, words in (
        (pdf, "El archivo es idéntico al emitido"),
        (pdf[:-1] + b"x", "fue alterado"),
        (b"%PDF-1.7", "fue alterado"),
    ):
        file = io.BytesIO(content)
        file.name = "declaracion.pdf"
        stranger.open("/verificar")
        assert stranger.send(paper=file).shows(words)
    for unknown in ("999-2026", "x-y", "1-99999999999999", "٣-2026"):
        assert stranger.open(f"/verificar/{unknown}").status == 404


def test_one_paper_that_fails_does_not_stop_the_others(ended: Action, otec: Visitor) -> None:
    issue_for_otec(otec)
    issue(participant())
    first = Statement.objects.get(kind="otec")
    whole = first.data
    Statement.objects.filter(pk=first.pk).update(data={**whole, "rows": "no list"})
    assert make_papers.call() == 1 and Statement.objects.filter(digest="").get() == first
    Statement.objects.filter(pk=first.pk).update(data=whole)
    assert make_papers.call() == 1 and not Statement.objects.filter(digest="").exists()
    assert (django_settings.CLAVE_HOME / "institution.p12").stat().st_mode & 0o077 == 0


def test_a_key_that_cannot_be_read_makes_no_paper_and_says_so(ended: Action, otec: Visitor, settings: Settings) -> None:
    issue_for_otec(otec)
    settings.INSTITUTION_P12, settings.INSTITUTION_P12_PASSWORD = __file__, "secret-password"
    with pytest.raises(RuntimeError, match="no key that can be read") as error:
        make_papers.call()
    assert "secret-password" not in str(error.value)


@pytest.mark.abuse(78)
@pytest.mark.parametrize("folio", ["1/2", "../x", "1-2026/pdf", "?", "#", "%2f", "%", "ñ", "1-2026 ", "-"])
def test_what_is_no_folio_is_said_beside_the_field_and_stays_there(demo: None, folio: str) -> None:
    visitor = Visitor()
    visitor.open("/verificar")
    page = visitor.send(folio=folio)
    if folio == "1-2026 ":
        assert page.status == 404 and page.shows("No hay una declaración con el folio 1-2026")
    else:
        assert page.status == 400 and page.shows("El folio es un número, un guion y un año")
        assert page.fields["folio"] == folio


@pytest.mark.abuse(78)
def test_nothing_typed_is_no_folio_either(demo: None) -> None:
    visitor = Visitor()
    visitor.open("/verificar")
    page = visitor.send(folio="")
    assert page.status == 400 and page.shows("Escriba el folio o traiga el archivo PDF")
