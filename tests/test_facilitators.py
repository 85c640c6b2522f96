"""Facilitador extranjero: asked for by a company, decided by a reviewer (mission.md, section 6)."""

import io
import subprocess
import zipfile
from pathlib import Path

import pytest
from pytest_django import Settings

from clave.documents import service as documents
from clave.documents.models import Document
from clave.holders.models import Holder
from clave.lib.request_context import SYSTEM
from clave.selfservice.facilitators import service
from clave.selfservice.models import FacilitatorRequest
from tests import factories, files, s3
from tests.firms import AUSTRAL, AUSTRAL_MAIL, DIEGO, MADERAS, ROSA
from tests.story import Mailbox, Page, Visitor

KEY, MADERAS_KEY = "CA739105", "MS204986"
DATA = {
    "document_kind": "PAS",
    "document": "ab-123 456",
    "names": "Ana Lucía",
    "paternal": "Quispe",
    "maternal": "Mamani",
    "sex": "F",
    "birth_date": "05-06-1991",
    "country": "BO",
    "email": "ana.quispe@example.com",
    "question": "calle",
    "answer": "Los Álamos",
}


def begin(visitor: Visitor, company: str = AUSTRAL, person: str = ROSA, key: str = KEY) -> Page:
    visitor.open("/empresa/facilitador")
    return visitor.send(rut=company, representative=person, key=key)


def ask(visitor: Visitor, **changes: str) -> Page:
    begin(visitor)
    visitor.send(affidavit=files.brought(files.pdf(), "declaracion.pdf"))
    return visitor.send(**{**DATA, **changes}, scan=files.brought(files.image(), "pasaporte.png"))


def asked() -> FacilitatorRequest:
    return FacilitatorRequest.objects.select_related("company").get()


def test_a_company_asks_a_reviewer_approves_the_facilitator_signs_in(visitor: Visitor, mailbox: Mailbox) -> None:
    page = ask(visitor)
    found = asked()
    assert page.shows("Recibimos su solicitud", found.folio, "contxxxx@capxxxx")
    assert found.folio in mailbox.last(AUSTRAL_MAIL)["text"]
    assert (found.identifier, found.surnames, found.children) == ("PAS AB123456", "Quispe Mamani", 0)
    visitor.open("/empresa/facilitador/estado")
    assert visitor.send(folio=found.folio, rut=AUSTRAL).shows("En revisión")
    service.approve(found, "revisor", SYSTEM)
    assert "aprobada" in mailbox.last(AUSTRAL_MAIL)["subject"] and "Ana Lucía" in mailbox.last(AUSTRAL_MAIL)["text"]
    key = mailbox.key(DATA["email"])
    assert key not in mailbox.last(AUSTRAL_MAIL)["text"], "the key is the facilitator's alone"
    visitor.open("/empresa/facilitador/estado")
    assert visitor.send(folio=found.folio, rut=AUSTRAL).shows("Aprobada")
    visitor.open("/ingresar/facilitador")
    assert visitor.send(document_kind="PAS", document="AB123456", key=key).shows("Elija su clave nueva")
    visitor.send(new_key="NW604827", new_key_again="NW604827")
    visitor.open("/ingresar/facilitador")
    page = visitor.send(document_kind="PAS", document="AB 123456", key="NW604827")
    assert page.shows("Mi cuenta", "Pasaporte AB123456", "Ana Lucía Quispe Mamani")


def test_a_rejection_tells_both_why(visitor: Visitor, mailbox: Mailbox) -> None:
    ask(visitor)
    service.reject(asked(), "El pasaporte no se lee.", "revisor", SYSTEM)
    assert "El pasaporte no se lee." in mailbox.last(AUSTRAL_MAIL)["text"]
    assert "El pasaporte no se lee." in mailbox.last(DATA["email"])["text"]
    visitor.open("/empresa/facilitador/estado")
    assert visitor.send(folio=asked().folio, rut=AUSTRAL).shows("Rechazada", "El pasaporte no se lee.")
    assert not Holder.objects.filter(profile="FE").exists()
    with pytest.raises(service.Decided):
        service.approve(asked(), "otro", SYSTEM)
    assert ask(visitor).shows("Recibimos su solicitud"), "a corrected request may be made"


def test_the_company_recovers_its_facilitators_key_and_no_other(visitor: Visitor, mailbox: Mailbox) -> None:
    ask(visitor)
    service.approve(asked(), "revisor", SYSTEM)
    first = mailbox.key(DATA["email"])
    visitor.open("/empresa/facilitador/recuperar")
    about = {"document_kind": "PAS", "document": "AB123456"}
    page = visitor.send(rut=AUSTRAL, representative=ROSA, key=KEY, **about)
    assert page.shows("La clave va en camino", "ana.xxxx@exaxxxx")
    assert mailbox.key(DATA["email"]) != first
    visitor.open("/empresa/facilitador/recuperar")
    page = visitor.send(rut=MADERAS, representative=DIEGO, key=MADERAS_KEY, **about)
    assert page.shows("no tiene un facilitador aprobado")


def test_the_facilitator_recovers_alone_by_answer_or_by_birth_date_and_mail(visitor: Visitor, mailbox: Mailbox) -> None:
    ask(visitor)
    service.approve(asked(), "revisor", SYSTEM)
    visitor.open("/facilitador/recuperar")
    assert visitor.send(document_kind="PAS", document="AB123456").shows("Pasaporte AB123456", "Calle donde vivía")
    assert visitor.send(answer="los alamos").shows("Su clave va en camino")
    visitor.open("/facilitador/recuperar")
    visitor.send(document_kind="PAS", document="AB123456")
    visitor.send(forgotten="on")
    assert visitor.send(birth_date="05-06-1991", email=DATA["email"]).shows("Su clave va en camino")
    key = mailbox.key(DATA["email"])
    visitor.open("/facilitador/cambiar")
    visitor.send(document_kind="PAS", document="AB123456", key=key)
    assert visitor.send(new_key="NW604827", new_key_again="NW604827").shows("Su clave fue cambiada")


@pytest.mark.needs("soffice")
def test_the_affidavit_comes_with_the_companys_data_and_opens_in_an_office(visitor: Visitor, tmp_path: Path) -> None:
    Holder.objects.filter(identifier=AUSTRAL).update(names="A & B <SpA> {{ 7 * 7 }} {% if %}")
    begin(visitor)
    answer = visitor.client.get(visitor.page.url.replace("declaracion", "plantilla.docx"))
    letter = tmp_path / "declaracion.docx"
    letter.write_bytes(answer.content)
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None
    office = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/office", "--convert-to", "txt:Text"]
    subprocess.run([*office, "--outdir", tmp_path, letter], check=True, capture_output=True, timeout=120)
    text = letter.with_suffix(".txt").read_text(encoding="utf-8-sig")
    assert "A & B <SpA> {{ 7 * 7 }} {% if %}, RUT 76.543.210-3" in text
    assert "Rosa Huenchumil Cayul, RUT 33.333.333-3" in text and "Pasaje Los Aromos 123" in text


def test_a_file_once_brought_is_kept_while_the_rest_is_corrected(visitor: Visitor) -> None:
    assert ask(visitor, names="", email="x").shows("Falta completar: Nombres", "Ya recibimos «pasaporte.png»")
    assert visitor.page.fields["paternal"] == "Quispe"
    assert visitor.send(**DATA).shows("Recibimos su solicitud")
    identity, affidavit = asked().identity, asked().affidavit
    assert identity and identity.original == "pasaporte.png"
    assert affidavit and affidavit.original == "declaracion.pdf"
    assert Document.objects.filter(taken=True).count() == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"document_kind": ""}, "Falta completar: Tipo de documento"),
        ({"document": "A"}, "de 4 a 20 letras y números"),
        ({"children": "-1"}, "0"),
        ({"children": "muchos"}, "número"),
        ({"country": "XX"}, "Elija un país de la lista"),
        ({"answer": "a"}, "muy corta o muy común"),
    ],
)
def test_each_mistake_is_told_beside_its_field(visitor: Visitor, changes: dict[str, str], message: str) -> None:
    assert ask(visitor, **changes).shows(message, "Paso 3 de 3") and not FacilitatorRequest.objects.exists()


def test_nothing_is_asked_for_without_the_files(visitor: Visitor) -> None:
    begin(visitor)
    assert visitor.send().shows("Falta completar: Declaración jurada completa y firmada")
    visitor.send(affidavit=files.brought(files.pdf(), "a.pdf"))
    assert visitor.send(**DATA).shows("Falta completar: Documento de identidad escaneado")


def test_one_document_one_open_request_and_one_key(visitor: Visitor) -> None:
    ask(visitor)
    assert ask(Visitor()).shows("Ya hay una solicitud en revisión")
    service.approve(asked(), "revisor", SYSTEM)
    assert ask(Visitor()).shows("ya tiene Clave SENCE")


def test_a_facilitator_of_the_old_system_is_asked_for_again(visitor: Visitor, mailbox: Mailbox) -> None:
    factories.holder("PAS AB123456", "FE", legacy=True)
    assert ask(visitor).shows("Recibimos su solicitud")
    service.approve(asked(), "revisor", SYSTEM)
    holder = Holder.objects.get(profile="FE")
    assert (holder.legacy, holder.names) == (False, "Ana Lucía") and mailbox.key(DATA["email"])


def test_a_temporary_key_asks_for_nobody(visitor: Visitor, mailbox: Mailbox) -> None:
    visitor.open("/empresa/recuperar")
    visitor.send(rut=AUSTRAL)
    visitor.send(answer="Liceo Austral")
    assert begin(visitor, key=mailbox.key(AUSTRAL_MAIL)).shows("Esta clave es temporal")


@pytest.mark.abuse(1)
def test_a_folio_tells_nothing_to_who_does_not_know_the_company(visitor: Visitor) -> None:
    ask(visitor)
    folio = asked().folio
    for wrong in (
        {"folio": folio, "rut": MADERAS},
        {"folio": "1-1999", "rut": AUSTRAL},
        {"folio": "x", "rut": AUSTRAL},
    ):
        visitor.open("/empresa/facilitador/estado")
        assert visitor.send(**wrong).shows("No hay una solicitud con ese folio y ese RUT")


@pytest.mark.abuse(23)
def test_the_steps_of_a_request_belong_to_who_signed_in(visitor: Visitor) -> None:
    url = begin(visitor).url
    for path in (url, url.replace("declaracion", "plantilla.docx"), url.replace("declaracion", "datos")):
        assert Visitor().open(path).status == 403
    assert visitor.open(url.replace("declaracion", "datos")).status == 403, "the affidavit comes first"


def test_documents_lie_in_an_s3_store_when_one_is_named(visitor: Visitor, settings: Settings, tmp_path: Path) -> None:
    with s3.running(tmp_path / "s3") as url:
        settings.STORAGES = {
            **settings.STORAGES,
            "vault": {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": {
                    "bucket_name": s3.BUCKET,
                    "endpoint_url": url,
                    "access_key": s3.KEY,
                    "secret_key": s3.SECRET,
                    "region_name": "us-east-1",
                    "addressing_style": "path",
                    "file_overwrite": False,
                },
            },
        }
        ask(visitor)
        kept, identity = asked().affidavit, asked().identity
        assert kept and identity and documents.contents(kept) == files.pdf()
        lying = list((tmp_path / "s3" / s3.BUCKET).iterdir())
        assert {file.name for file in lying} == {kept.name, identity.name}
        assert all(b"%PDF" not in file.read_bytes() for file in lying)
