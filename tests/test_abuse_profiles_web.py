"""Abuse cases 14 to 23 once more, for companies, migrants and facilitators: what any web form must withstand."""

import re

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from clave.credentials import hashing
from clave.credentials.models import Attempts
from clave.holders.models import Holder
from tests.everyone import EVERY, Who, make_facilitator
from tests.story import Mailbox, Visitor

each = pytest.mark.parametrize("who", EVERY, ids=lambda who: who.path_prefix)


@pytest.fixture
def visitor(demo: None) -> Visitor:
    make_facilitator()
    return Visitor()


@pytest.mark.abuse(1, 14)
@each
def test_an_unknown_account_costs_the_same_work_as_a_wrong_key(
    visitor: Visitor, who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    work: list[int] = []
    real = hashing.matches

    def matches(stored: str | None, secret: str) -> bool:
        work.append(1)
        return real(stored, secret)

    monkeypatch.setattr(hashing, "matches", matches)
    pages = []
    for known in (True, False):
        if not known:
            Holder.objects.filter(profile=who.profile, identifier=who.identifier).delete()
            Attempts.objects.all().delete()
        work.clear()
        page = who.sign_in(Visitor(f"198.51.100.{80 + known}"), "AA000000")
        pages.append((page.status, len(work), re.sub(r'value="[^"]*"|/captcha/[^"]+', "", page.html)))
    assert pages[0] == pages[1] and pages[0][1] == 1


@pytest.mark.abuse(15)
@each
@pytest.mark.parametrize("key", ["K" * 1_000, "КМ482915", "KM482915\u200b"])
def test_look_alikes_and_long_keys_are_refused(visitor: Visitor, who: Who, key: str) -> None:
    assert who.change(visitor, who.key, key).status == 400
    assert who.sign_in(visitor, key).status == 400


FORMS = [
    "/empresa/registrarse", "/empresa/recuperar", "/empresa/cambiar", "/migrante/registrarse", "/migrante/recuperar",
    "/migrante/cambiar", "/migrante/actualizar", "/facilitador/recuperar", "/facilitador/cambiar",
    "/ingresar/empresa", "/ingresar/migrante", "/ingresar/facilitador", "/empresa/facilitador",
    "/empresa/facilitador/recuperar", "/mi-cuenta/representantes", "/mi-cuenta/mis-datos/pedir",
    "/backoffice/ingresar", "/backoffice/ingresar/llave", "/backoffice/invitacion", "/backoffice/",
    "/backoffice/salir", "/backoffice/operadores", "/backoffice/auditoria", "/backoffice/auditoria/revisar",
]  # fmt: skip


@pytest.mark.abuse(16)
@pytest.mark.parametrize("path", FORMS)
def test_every_change_needs_the_pages_own_token(demo: None, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    token = client.get("/ingresar").content.decode().split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert client.post(path, {"rut": "1"}).status_code == 403
    forged = {"csrfmiddlewaretoken": token, "rut": "1"}
    assert client.post(path, forged, HTTP_ORIGIN="https://evil.example").status_code == 403


@pytest.mark.abuse(17)
@each
def test_a_session_is_renewed_at_sign_in_and_ends_with_a_change(visitor: Visitor, who: Who) -> None:
    who.recover(visitor)
    before = visitor.client.cookies["sesion"].value
    who.sign_in(visitor)
    assert visitor.client.cookies["sesion"].value != before
    who.change(Visitor("198.51.100.9"), who.key, "NW604827")
    assert visitor.open("/mi-cuenta").url.startswith("/ingresar")


@pytest.mark.abuse(18, 22)
@pytest.mark.parametrize("path", FORMS)
def test_no_page_is_framed_or_kept_by_a_cache(demo: None, path: str) -> None:
    headers = Client().get(path, follow=True).headers
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and "no-store" in headers["Cache-Control"]


@pytest.mark.abuse(19)
@each
def test_names_are_shown_as_text(visitor: Visitor, who: Who) -> None:
    evil = "<script>alert(1)</script>"
    Holder.objects.filter(identifier=who.identifier).update(names=evil, street=evil)
    page = who.sign_in(visitor)
    assert page.shows("alert(1)") and "<script>alert" not in page.html
    assert "<script>alert" not in visitor.open("/mi-cuenta/mis-datos").html


@pytest.mark.abuse(20)
@each
def test_links_in_mail_are_ours_whatever_host_is_asked_for(visitor: Visitor, mailbox: Mailbox, who: Who) -> None:
    person = Visitor(HTTP_X_FORWARDED_HOST="evil.example", HTTP_FORWARDED="host=evil.example")
    who.recover(person)
    person.send(answer=who.answer)
    mail = mailbox.last(who.mail)
    assert set(re.findall(r"https?://[^/\s\"<]+", mail["text"] + mail["html"])) == {django_settings.CLAVE_URL}


@pytest.mark.abuse(21)
@each
def test_after_signing_in_one_stays_on_this_site(visitor: Visitor, who: Who) -> None:
    for away in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        visitor.open(f"/ingresar/{who.path_prefix}")
        answer = visitor.client.post(f"/ingresar/{who.path_prefix}", visitor.fill(**who.act, key=who.key, volver=away))
        assert answer.headers["Location"] == "/mi-cuenta", away


@pytest.mark.abuse(23)
@each
def test_a_finished_change_cannot_be_replayed_nor_lent_to_another_profile(visitor: Visitor, who: Who) -> None:
    visitor.open(f"/{who.path_prefix}/cambiar")
    visitor.send(**who.act, key=who.key)
    path, form = visitor.page.url, visitor.fill(new_key="NW604827", new_key_again="NW604827")
    other = path.replace(who.path_prefix, "persona")
    assert visitor.post(other, {**form, "envio": "x" * 20}).status == 403
    assert visitor.post(path, form).shows("Su clave fue cambiada")
    again = {**form, "envio": "y" * 20, "new_key": "PT739164", "new_key_again": "PT739164"}
    assert visitor.post(path, again).shows("Este paso ya no está disponible")


@pytest.mark.abuse(34)
def test_what_a_company_is_called_is_text_in_its_affidavit_and_its_papers(visitor: Visitor) -> None:
    import io
    import zipfile

    Holder.objects.filter(identifier="76543210-3").update(names="{{ 7*7 }} </w:t><w:t>=1+1 #panic()")
    visitor.open("/empresa/facilitador")
    visitor.send(rut="76543210-3", representative="33333333-3", key="CA739105")
    answer = visitor.client.get(visitor.page.url.replace("declaracion", "plantilla.docx"))
    document = zipfile.ZipFile(io.BytesIO(answer.content)).read("word/document.xml").decode()
    assert "{{ 7*7 }} &lt;/w:t&gt;&lt;w:t&gt;=1+1 #panic()" in document and "49" not in document


@pytest.mark.abuse(44)
def test_a_registry_that_sends_one_elsewhere_is_not_followed(demo: None, settings: Settings) -> None:
    """What a person types reaches a registry only as a checked RUT; what a registry answers leads nowhere."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    from clave.lib.request_context import SYSTEM
    from clave.lib.rut import Rut
    from clave.registries import registro_civil, sii
    from clave.registries.base import RegistryDown

    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/inside")  # type: ignore[attr-defined]
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SII_URL = settings.REGISTRO_CIVIL_URL = f"http://127.0.0.1:{server.server_port}/registry"
    rut = Rut.parse("76543210-3")
    for call in (lambda: sii.find_company(rut, SYSTEM), lambda: sii.represents(rut, rut, SYSTEM),
                 lambda: registro_civil.card_is_valid(rut, "../../inside", SYSTEM)):  # fmt: skip
        with pytest.raises(RegistryDown):
            call()
    server.shutdown()
    assert asked and all(path.startswith("/registry/") for path in asked)
