"""Registering a Persona Natural (guide PN, section 2)."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from clave.audit.models import Entry
from clave.holders.models import Holder
from clave.sandbox import services
from clave.selfservice.register.tasks import verify_pending
from tests.story import PHONE, REGISTRATION, Mailbox, Visitor


def test_a_person_registers_is_told_by_mail_and_sms_and_signs_in(visitor: Visitor, mailbox: Mailbox) -> None:
    page = visitor.register()
    assert page.shows("Su cuenta fue creada", "Pxxxx", "cuatxxxx@exaxxxx", "+56 9 xxxx xx21", "10 minutos")
    mail = mailbox.last("cuatro@example.cl")
    assert mail["subject"] == "Su Clave SENCE fue creada"
    assert "44.444.444-4" in mail["text"] and "44.444.444-4" in mail["html"]
    assert "su Clave SENCE fue creada" in mailbox.last(PHONE)["text"]
    assert visitor.sign_in("44444444-4", "QZ571938").shows(
        "Mi cuenta", "Persona De Prueba Cuatro", "Pasaje Los Aromos 45"
    )
    holder = Holder.objects.get(identifier="44444444-4")
    assert (holder.sex, str(holder.birth_date), holder.verification) == ("F", "1999-09-09", "verified")
    assert Entry.objects.filter(action="holder.registered", subject=str(holder.pk), outcome="ok").count() == 1


def test_names_from_the_registry_are_shown_only_masked(visitor: Visitor) -> None:
    page = visitor.register()
    assert "Prueba" not in page.text and "Cuatro" not in page.text


def test_an_empty_form_names_every_missing_field_and_links_to_it(visitor: Visitor) -> None:
    visitor.open("/persona/registrarse")
    page = visitor.send(captcha="")
    assert page.status == 400
    assert "<title>Error: " in page.html
    for field, label in {
        "rut": "RUT",
        "answer": "Respuesta secreta",
        "comuna": "Comuna",
        "email": "Correo electrónico",
    }.items():
        assert f'<a href="#id_{field}">Falta completar: {label}.</a>' in page.html
        assert f'id="id_{field}_error"' in page.html
    assert page.shows("Escriba su celular o marque «Sin celular»", "(*) Campos obligatorios")


def test_a_field_in_error_is_described_by_its_hint_and_its_error(visitor: Visitor) -> None:
    visitor.open("/persona/registrarse")
    page = visitor.send(captcha="")
    assert 'aria-invalid="true" aria-describedby="id_rut_helptext id_rut_error"' in page.html
    assert 'aria-describedby="id_answer_helptext id_answer_error"' in page.html
    assert 'id="id_rut_helptext"' in page.html and 'id="id_answer_helptext"' in page.html
    page = visitor.register(captcha="XXXX")
    assert 'aria-invalid="true" aria-describedby="id_captcha_sonido id_captcha_error"' in page.html


def test_what_was_typed_is_kept_except_keys_and_captcha(visitor: Visitor) -> None:
    page = visitor.register(email="no es correo")
    assert page.shows("El correo no es válido")
    for field in ("rut", "question", "answer", "street", "region", "comuna", "email", "mobile"):
        assert page.fields[field] == ({**REGISTRATION, "email": "no es correo"})[field]
    assert page.fields["new_key"] == page.fields["new_key_again"] == page.fields["captcha"] == ""


@pytest.mark.parametrize(
    ("rut", "message"),
    [
        ("77777777-7", "falleció"),
        ("12345678-5", "El Registro Civil no conoce este RUT"),
        ("11111111-1", "Esta cuenta ya tiene Clave SENCE"),
        ("44444444-5", "El RUT no es válido"),
        ("hola", "Escriba su RUT con dígito verificador"),
    ],
)
def test_each_rut_that_cannot_register_gets_its_own_message(visitor: Visitor, rut: str, message: str) -> None:
    before = Holder.objects.count()
    assert visitor.register(rut=rut).shows(message)
    assert Holder.objects.count() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"new_key_again": "QZ571939"}, "Las dos claves no son iguales"),
        ({"comuna": "01101"}, "Esta comuna no es de la región elegida"),
        ({"mobile": "123"}, "Escriba los 8 números de su celular"),
        ({"mobile": "+1 202 555 0100"}, "Escriba los 8 números de su celular"),
        ({"answer": "Chile"}, "muy corta o muy común"),
        ({"street": "Calle 😀"}, "Quite: 😀"),
        ({"street": "\u202eCalle"}, "Quite: U+202E"),
        ({"street": "a\tb"}, "Quite: U+0009"),
        ({"street": "x" * 121}, "Escriba como máximo 120 caracteres (ahora hay 121)"),
        ({"new_key": "QZ571", "new_key_again": "QZ571"}, "de 8 a 10 caracteres"),
    ],
)
def test_a_mistake_is_explained_in_spanish_beside_its_field(
    visitor: Visitor, change: dict[str, str], message: str
) -> None:
    page = visitor.register(**change)
    assert page.status == 400 and page.shows(message)
    assert not Holder.objects.filter(identifier="44444444-4").exists()


def test_without_a_mobile_only_mail_is_sent(visitor: Visitor, mailbox: Mailbox) -> None:
    assert visitor.register(mobile="", no_mobile="on").shows("Su cuenta fue creada")
    assert [message["kind"] for message in mailbox.all()] == ["email"]


def test_a_wrong_captcha_reveals_nothing_about_the_rut(visitor: Visitor) -> None:
    page = visitor.register(rut="11111111-1", captcha="????")
    assert page.shows("Las letras no coinciden") and "ya tiene" not in page.text


@pytest.mark.parametrize("how", ["down", "nonsense", "slow"])
def test_when_the_registry_fails_the_account_is_made_unverified_and_verified_later(
    visitor: Visitor, mailbox: Mailbox, how: str
) -> None:
    services.set_behaviour("registro_civil", how)
    visitor.open("/persona/registrarse")
    data = visitor.fill(**REGISTRATION)
    before = time.monotonic()
    page = visitor.post("/persona/registrarse", data)
    assert time.monotonic() - before < 2
    assert page.shows("Su cuenta fue creada", "El registro del Estado no respondió ahora")
    holder = Holder.objects.get(identifier="44444444-4")
    assert (holder.verification, holder.names) == ("unverified", "")
    assert visitor.sign_in("44444444-4", "QZ571938").shows("todavía no confirma su identidad")
    assert verify_pending.call() == 0
    services.set_behaviour("registro_civil", "ok")
    from clave.registries import registro_civil

    registro_civil._registry.cache_clear()
    assert verify_pending.call() == 1
    holder.refresh_from_db()
    assert (holder.verification, holder.names) == ("verified", "Persona")


def test_an_account_whose_run_does_not_exist_is_refused_once_the_registry_says_so(
    visitor: Visitor, mailbox: Mailbox
) -> None:
    services.set_behaviour("registro_civil", "down")
    visitor.register(rut="12345678-5")
    services.set_behaviour("registro_civil", "ok")
    verify_pending.call()
    assert mailbox.last("cuatro@example.cl")["subject"] == "No pudimos verificar su identidad"
    assert visitor.sign_in("12345678-5", "QZ571938").shows("Esta cuenta no puede usarse")


def test_after_five_failures_the_registry_is_left_alone_and_asked_again_later(
    visitor: Visitor, settings: Settings
) -> None:
    from clave.lib.request_context import SYSTEM
    from clave.lib.rut import Rut
    from clave.registries import registro_civil
    from clave.registries.base import RegistryDown

    services.set_behaviour("registro_civil", "down")
    for _ in range(6):
        with pytest.raises(RegistryDown):
            registro_civil.find_person(Rut.parse("11111111-1"), SYSTEM)
    outcomes = list(Entry.objects.filter(action="registry.called").order_by("pk").values_list("outcome", flat=True))
    assert outcomes[-1] == "circuit_open" and outcomes[0] == "down"
    services.set_behaviour("registro_civil", "ok")
    with pytest.raises(RegistryDown):
        registro_civil.find_person(Rut.parse("11111111-1"), SYSTEM)
    registro_civil.registry().breaker.half_open()
    found = registro_civil.find_person(Rut.parse("11111111-1"), SYSTEM)
    assert found and found.names == "Camila"
    assert "11111111" not in str(list(Entry.objects.values_list("detail", "outcome", "subject")))


def test_with_id_card_proof_the_serial_must_be_of_the_card(visitor: Visitor, settings: Settings) -> None:
    settings.REGISTRATION_PROOF = "id_card"
    settings.ANSWERS = {**settings.ANSWERS, "REGISTRATION_PROOF": "id_card"}
    assert visitor.register(serial="999999999").shows("no corresponde a una cédula vigente")
    assert visitor.register(serial="444555666").shows("Su cuenta fue creada")


def test_an_account_of_the_old_system_registers_again(visitor: Visitor) -> None:
    assert visitor.register(rut="66666666-6").shows("Su cuenta fue creada")
    assert visitor.sign_in("66666666-6", "QZ571938").shows("Nora Díaz Vera")


def test_sending_the_same_form_twice_makes_one_account_and_shows_the_same_page(
    visitor: Visitor, mailbox: Mailbox
) -> None:
    visitor.open("/persona/registrarse")
    data = visitor.fill(**REGISTRATION)
    first = visitor.post("/persona/registrarse", data)
    again = visitor.post("/persona/registrarse", data)
    assert first.url == again.url and again.shows("Su cuenta fue creada")
    assert len(mailbox.to("cuatro@example.cl")) == 1


def test_the_success_page_survives_reload_and_belongs_to_its_browser(visitor: Visitor) -> None:
    page = visitor.register()
    assert visitor.open(page.url).shows("Su cuenta fue creada")
    assert Visitor().open(page.url).status == 404


def test_refreshing_the_captcha_without_a_script_keeps_what_was_typed(visitor: Visitor) -> None:
    visitor.open("/persona/registrarse")
    old = visitor.page.fields["captcha_ticket"]
    page = visitor.send(street="Los Aromos", rut="11111111-1", new_key="QZ571938", refrescar="1")
    assert page.status == 200 and "Hay un problema" not in page.text
    assert page.fields["street"] == "Los Aromos" and page.fields["new_key"] == ""
    assert page.fields["captcha_ticket"] != old


def test_showing_the_form_asks_the_database_nothing(visitor: Visitor) -> None:
    visitor.open("/persona/registrarse")
    with CaptureQueriesContext(connection) as queries:
        visitor.open("/persona/registrarse")
    assert len(queries) == 0
