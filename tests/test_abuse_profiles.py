"""Abuse cases 2 to 23 once more, for companies, migrants and facilitators: what protects a person protects them too."""

import logging
import re
from dataclasses import dataclass

import pytest
from django.conf import settings as django_settings
from django.test import Client

from clave.audit.models import Entry
from clave.holders.models import Holder
from clave.keys import attempts, hashing
from clave.keys import service as keys
from clave.keys.models import Attempts
from clave.keys.service import Visit
from clave.sandbox import people
from tests.story import Mailbox, Page, Visitor
from tests.test_abuse import dump_of_everything
from tests.test_companies import NEW as COMPANY
from tests.test_migrants import NEW as MIGRANT
from tests.test_races import at_once


@dataclass(frozen=True)
class Who:
    """One profile's account, and how it says who it is where it looks and where it acts."""

    profile: str
    room: str
    identifier: str
    look: dict[str, str]
    act: dict[str, str]
    key: str
    question: str
    answer: str
    mail: str
    name: str

    @property
    def account(self) -> str:
        return Holder.objects.get(profile=self.profile, identifier=self.identifier).account

    def sign_in(self, visitor: Visitor, key: str = "") -> Page:
        visitor.open(f"/ingresar/{self.room}")
        return visitor.send(**self.act, key=key or self.key)

    def recover(self, visitor: Visitor) -> Page:
        visitor.open(f"/{self.room}/recuperar")
        return visitor.send(**self.look)

    def change(self, visitor: Visitor, old: str, new: str) -> Page:
        visitor.open(f"/{self.room}/cambiar")
        page = visitor.send(**self.act, key=old)
        return visitor.send(new_key=new, new_key_again=new) if "new_key" in page.fields else page


EVERY = [
    Who("PJ", "empresa", "76543210-3", {"rut": "76543210-3"}, {"rut": "76543210-3", "representative": "33333333-3"},
        "CA739105", "Nombre de mi primera escuela", "Liceo Austral", "contacto@capacita-austral.example.cl",
        "Capacita Austral SpA"),
    Who("MI", "migrante", "900123456", {"nie": "900123456"}, {"nie": "900123456"}, "HT254817", "Calle donde vivía",
        "Rue Capois", "jean.pierre@example.cl", "Jean Baptiste Pierre"),
    Who("FE", "facilitador", "PAS AB123456", {"document_kind": "PAS", "document": "AB123456"},
        {"document_kind": "PAS", "document": "AB123456"}, "FE482915", "Nombre de mi mascota", "Canelo",
        "ana.quispe@example.com", "Ana Lucía Quispe"),
]  # fmt: skip
each = pytest.mark.parametrize("who", EVERY, ids=lambda who: who.room)


def make_facilitator() -> None:
    from datetime import date

    from clave.core import clock

    holder = Holder.objects.create(
        profile="FE",
        identifier="PAS AB123456",
        names="Ana Lucía",
        surnames="Quispe",
        birth_date=date(1991, 6, 5),
        country="BO",
        email="ana.quispe@example.com",
        verification="declared",
        no_mobile=True,
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    keys.bring(holder, "FE482915")
    keys.set_answer(holder, "mascota", "Canelo")


@pytest.fixture
def visitor(demo: None) -> Visitor:
    make_facilitator()
    return Visitor()


@pytest.mark.abuse(2)
@each
def test_a_question_is_shown_only_after_a_captcha(visitor: Visitor, who: Who) -> None:
    visitor.open(f"/{who.room}/recuperar")
    page = visitor.send(**who.look, captcha="????")
    assert page.shows("Las letras no coinciden") and who.question not in page.text
    assert who.recover(visitor).shows(who.question)


@pytest.mark.abuse(3)
@pytest.mark.parametrize(
    "path",
    ["/empresa/registrarse", "/empresa/recuperar", "/empresa/cambiar", "/empresa/facilitador",
     "/empresa/facilitador/estado", "/empresa/facilitador/recuperar", "/migrante/registrarse", "/migrante/recuperar",
     "/migrante/cambiar", "/migrante/actualizar", "/migrante/actualizar/fecha-y-correo", "/facilitador/recuperar",
     "/facilitador/cambiar"],
)  # fmt: skip
def test_every_public_flow_asks_for_the_letters_first(visitor: Visitor, path: str) -> None:
    assert "captcha_ticket" in visitor.open(path).fields


@pytest.mark.abuse(4)
def test_who_registered_a_company_unseen_loses_it_to_its_representative(visitor: Visitor, mailbox: Mailbox) -> None:
    """The squatter typed the right representative's RUN; the representative's card takes the account back."""
    visitor.open("/empresa/registrarse")
    visitor.send(**{**COMPANY, "email": "intruso@example.cl", "representative_mobile": "87650000"})
    squatter = Visitor("198.51.100.66")
    squatter.open("/ingresar/empresa")
    squatter.send(rut="78000111-9", representative="44444444-4", key="QZ571938")
    assert squatter.page.shows("Mi cuenta")
    owner = Visitor("198.51.100.67")
    owner.open("/empresa/recuperar")
    owner.send(rut="78000111-9")
    owner.send(forgotten="on")
    owner.send(representative="44444444-4")
    owner.send(serial="444555666")
    owner.send(right="no", email="duena@example.cl")
    key = mailbox.key("duena@example.cl")
    assert key not in str(mailbox.to("intruso@example.cl")) and not mailbox.to("+56987650000")[1:]
    assert squatter.open("/mi-cuenta").url.startswith("/ingresar")


@pytest.mark.abuse(5)
@pytest.mark.parametrize(("path", "data"), [("/empresa/registrarse", COMPANY), ("/migrante/registrarse", MIGRANT)])
def test_an_address_somebody_else_typed_gets_one_confirmation_and_no_key(
    visitor: Visitor, mailbox: Mailbox, path: str, data: dict[str, str]
) -> None:
    visitor.open(path)
    visitor.send(**{**data, "email": "victima@example.cl"})
    assert [mail["subject"] for mail in mailbox.to("victima@example.cl")] == ["Su Clave SENCE fue creada"]
    assert "QZ571938" not in str(mailbox.all())


@pytest.mark.abuse(6)
@each
def test_nobody_is_flooded_with_keys(visitor: Visitor, who: Who) -> None:
    seen = ""
    for _ in range(21):
        who.recover(visitor)
        seen = visitor.send(answer=who.answer).text
        if "Ya enviamos muchos mensajes hoy" in seen:
            break
    assert "Ya enviamos muchos mensajes hoy" in seen


@pytest.mark.abuse(6)
def test_telling_that_a_registry_is_back_floods_nobody(visitor: Visitor, mailbox: Mailbox) -> None:
    from clave.core import clock
    from clave.flows.models import Waiting
    from clave.flows.recover.tasks import tell_who_waits

    for _ in range(30):
        Waiting.objects.create(registry="sii", email="victima@example.cl", created_at=clock.now())
    tell_who_waits.call()
    assert len(mailbox.to("victima@example.cl")) == 20 and not Waiting.objects.exists()


@pytest.mark.abuse(7)
@each
def test_a_stranger_locks_nobody_out_of_a_known_browser(visitor: Visitor, who: Who) -> None:
    assert who.sign_in(visitor).shows(who.name)
    for _ in range(6):
        attempts.axes("key", who.account, Visit("198.51.100.66", "b")).fail()
    assert who.sign_in(Visitor("198.51.100.67")).status == 429
    assert who.sign_in(visitor).shows(who.name)


@pytest.mark.abuse(8)
@each
def test_answers_are_guessed_three_times_then_one_waits(visitor: Visitor, who: Who) -> None:
    who.recover(visitor)
    for guess in ("Uno Dos", "Tres", "Cuatro"):
        visitor.send(answer=guess)
    assert visitor.send(answer=who.answer).status == 429


@pytest.mark.abuse(9)
def test_a_dump_of_the_database_holds_no_secret_and_no_telephone(visitor: Visitor) -> None:
    visitor.open("/empresa/registrarse")
    visitor.send(**COMPANY)
    dump = dump_of_everything()
    for secret in ("QZ571938", "CA739105", "HT254817", "FE482915", "Los Boldos", "87654321", "87650003", "2870 6100"):
        assert secret not in dump, secret
    for secret in (people.OPERATOR_PASSWORD, people.TOTP_SECRET):
        assert secret not in dump, "operators' secrets too"


@pytest.mark.abuse(10)
@each
def test_canaries_put_through_the_flows_are_found_nowhere(
    visitor: Visitor, mailbox: Mailbox, caplog: pytest.LogCaptureFixture, who: Who
) -> None:
    caplog.set_level(logging.DEBUG)
    seen = [who.sign_in(visitor, "WR550617").html]
    who.recover(visitor)
    seen.append(visitor.send(answer="canario equivocado").html)
    who.recover(visitor)
    seen.append(visitor.send(answer=who.answer).html)
    temporary = mailbox.key(who.mail)
    seen.append(who.change(visitor, temporary, "CN718294").html)
    places = {"logs": caplog.text, "audit": str(list(Entry.objects.values())), "pages": "\n".join(seen)}
    places["database"] = dump_of_everything()
    for canary in ("WR550617", "canario equivocado", temporary, "CN718294"):
        for place, text in places.items():
            # What was typed stays in its box, so that it can be corrected; a key does not.
            if (canary, place) != ("canario equivocado", "pages"):
                assert canary not in text, f"{canary} in {place}"


@pytest.mark.abuse(11)
@each
def test_a_temporary_key_works_once_within_the_hour_and_only_to_change(
    visitor: Visitor, mailbox: Mailbox, clock, who: Who
) -> None:
    who.recover(visitor)
    visitor.send(answer=who.answer)
    key = mailbox.key(who.mail)
    assert who.sign_in(visitor, key).shows("Elija su clave nueva") and visitor.open("/mi-cuenta").url != "/mi-cuenta"
    assert who.change(visitor, key, "NW604827").shows("Su clave fue cambiada")
    assert who.change(visitor, key, "PT739164").status == 400
    who.recover(visitor)
    visitor.send(answer=who.answer)
    key = mailbox.key(who.mail)
    clock.move(hours=1, seconds=1)
    assert who.change(visitor, key, "PT739164").status == 400


@pytest.mark.abuse(12)
@each
def test_of_two_changes_at_once_one_wins(committed: None, who: Who) -> None:
    make_facilitator()
    jobs = []
    for number in range(4):
        person = Visitor(f"198.51.100.{number}")
        person.open(f"/{who.room}/cambiar")
        person.send(**who.act, key=who.key)
        form = person.fill(new_key=f"NW60482{number}", new_key_again=f"NW60482{number}")
        jobs.append(
            lambda person=person, path=person.page.url, form=form: Page(person.client.post(path, form, follow=True))
        )
    texts = [page.text for page in at_once(jobs)]
    assert sum("Su clave fue cambiada" in text for text in texts) == 1
    assert sum("ya fue cambiada con esta validación" in text for text in texts) == 3


@pytest.mark.abuse(13)
@each
def test_the_present_key_and_ones_own_numbers_are_refused(visitor: Visitor, who: Who) -> None:
    assert who.change(visitor, who.key, who.key).shows("no puede ser igual a la anterior")
    digits = re.sub(r"\D", "", who.identifier)[:6]
    assert who.change(visitor, who.key, f"QZ{digits}").shows("no puede contener los números de su")


@pytest.mark.abuse(1, 14)
@each
def test_an_unknown_account_costs_the_same_work_as_a_wrong_key(visitor: Visitor, who: Who, monkeypatch) -> None:
    work: list[int] = []
    real = hashing.matches
    monkeypatch.setattr(hashing, "matches", lambda stored, secret: (work.append(1), real(stored, secret))[1])
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
        visitor.open(f"/ingresar/{who.room}")
        answer = visitor.client.post(f"/ingresar/{who.room}", visitor.fill(**who.act, key=who.key, volver=away))
        assert answer.headers["Location"] == "/mi-cuenta", away


@pytest.mark.abuse(23)
@each
def test_a_finished_change_cannot_be_replayed_nor_lent_to_another_profile(visitor: Visitor, who: Who) -> None:
    visitor.open(f"/{who.room}/cambiar")
    visitor.send(**who.act, key=who.key)
    path, form = visitor.page.url, visitor.fill(new_key="NW604827", new_key_again="NW604827")
    other = path.replace(who.room, "persona")
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
def test_a_registry_that_sends_one_elsewhere_is_not_followed(demo: None, settings) -> None:
    """What a person types reaches a registry only as a checked RUT; what a registry answers leads nowhere."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    from clave.core.rut import Rut
    from clave.core.visit import SYSTEM
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
