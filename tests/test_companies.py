"""Persona Jurídica: register, sign in, change, update, representatives (guide PJ)."""

import pytest

from clave.audit.models import Entry
from clave.credentials.models import SecretAnswer
from clave.holders.models import Holder
from clave.registries import sii
from clave.sandbox import services
from clave.selfservice.register.tasks import verify_pending
from tests import factories
from tests.firms import AUSTRAL, DIEGO, MADERAS, MADERAS_MAIL, ROSA, begin, register, sign_in
from tests.story import Mailbox, Visitor


def test_a_company_registers_is_told_and_signs_in(visitor: Visitor, mailbox: Mailbox) -> None:
    assert register(visitor).shows("Su cuenta fue creada", "Según el SII, la empresa es Empresa De Prueba Cuatro Ltda.")
    assert "RUT 78.000.111-9" in mailbox.last("empresa@example.cl")["text"]
    assert "Clave SENCE fue creada" in mailbox.last("+56987654321")["text"]
    page = sign_in(visitor, "78000111-9", "44444444-4", "QZ571938")
    assert page.shows("Mi cuenta", "Empresa De Prueba Cuatro Ltda.", "OTIC", "+56 2 2870 6100")
    company = Holder.objects.get(identifier="78000111-9")
    assert company.verification == "verified" and company.representatives.get().name == "Persona De Prueba Cuatro"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rut": "78.999.888-4"}, "El SII no conoce una empresa vigente"),
        ({"rut": "79.000.222-9"}, "El SII no conoce una empresa vigente"),
        ({"representative": "22.222.222-2"}, "no es representante legal"),
        ({"rut": AUSTRAL, "representative": ROSA}, "ya tiene Clave SENCE"),
        ({"new_key": "QZ780001", "new_key_again": "QZ780001"}, "números de su RUT"),
        ({"representative_mobile": "123"}, "8 números de su celular"),
        ({"kind": ""}, "Falta completar: Tipo"),
    ],
)
def test_what_cannot_be_registered_is_told_beside_its_field(
    visitor: Visitor, changes: dict[str, str], message: str
) -> None:
    page = register(visitor, **changes)
    assert page.shows(message) and page.status == 400
    assert page.fields["street"] == "Huérfanos" and Holder.objects.filter(identifier="78000111-9").count() == 0


@pytest.mark.parametrize("how", ["down", "nonsense", "slow"])
def test_when_the_sii_fails_the_account_is_made_unverified_and_verified_later(visitor: Visitor, how: str) -> None:
    services.set_behaviour("sii", how)
    assert register(visitor).shows("Su cuenta fue creada", "confirmaremos sus datos más tarde")
    assert sign_in(visitor, "78000111-9", "44444444-4", "QZ571938").shows("todavía no confirma")
    assert verify_pending.call() == 0
    services.set_behaviour("sii", "ok")
    sii._registry.cache_clear()
    assert verify_pending.call() == 1
    company = Holder.objects.get(identifier="78000111-9")
    assert (company.verification, company.names) == ("verified", "Empresa De Prueba Cuatro Ltda.")


def test_a_company_registered_by_who_does_not_represent_it_is_refused_later(visitor: Visitor, mailbox: Mailbox) -> None:
    services.set_behaviour("sii", "down")
    register(visitor, representative="22.222.222-2")
    services.set_behaviour("sii", "ok")
    sii._registry.cache_clear()
    verify_pending.call()
    assert "No pudimos confirmar" in mailbox.last("empresa@example.cl")["text"]
    assert sign_in(visitor, "78000111-9", "22222222-2", "QZ571938").shows("Esta cuenta no puede usarse")


def test_a_wrong_representative_or_a_persons_key_opens_no_company(visitor: Visitor) -> None:
    assert "Capacita Austral" not in sign_in(visitor, AUSTRAL, DIEGO, "CA739105").text
    assert "Capacita Austral" not in sign_in(Visitor(), ROSA, ROSA, "PL905371").text


def test_the_same_rut_as_person_and_as_company_are_two_accounts(visitor: Visitor) -> None:
    """Failures of one must not lock the other."""
    for _ in range(6):
        sign_in(visitor, "11111111-1", ROSA, "AA000000")
        visitor.page.fields.pop("captcha_ticket", None)
    assert Visitor("198.51.100.7").sign_in("11111111-1", "KM482915").shows("Camila Rojas Soto")


def test_a_company_updates_its_own_contact_once_signed_in(visitor: Visitor, mailbox: Mailbox) -> None:
    assert visitor.open("/empresa/actualizar").shows("Ingresar como Persona Jurídica")
    assert visitor.send(rut=AUSTRAL, representative=ROSA, key="CA739105").shows("Paso 2 de 3")
    visitor.send(question="escuela", answer="liceo austral")
    assert visitor.page.shows("Capacita Austral SpA")
    assert visitor.send(email="otra@example.cl", work_phone="").shows("Falta completar: Teléfono.")
    page = visitor.send(email="otra@example.cl", work_phone="222333444")
    assert page.shows("Sus datos han sido actualizados correctamente", "contxxxx@capxxxx")
    assert "RUT 76.543.210-3" in mailbox.last("otra@example.cl")["text"]
    assert Holder.objects.get(identifier=AUSTRAL).work_phone == "222333444"


def test_a_company_without_a_question_sets_one_when_it_updates(visitor: Visitor) -> None:
    visitor.open("/empresa/actualizar")
    visitor.send(rut=MADERAS, representative=DIEGO, key="MS204986")
    assert visitor.send(question="mascota", answer="Canelo").shows("actualizados correctamente")
    assert SecretAnswer.objects.filter(holder__identifier=MADERAS).exists()
    assert begin(Visitor(), MADERAS).shows("Nombre de mi mascota")


def test_a_company_keeps_its_representatives(visitor: Visitor, mailbox: Mailbox) -> None:
    sign_in(visitor, MADERAS, DIEGO, "MS204986")
    visitor.open("/mi-cuenta/representantes")
    typed = {"representative_name": "Alguien Más", "representative_mobile": "87654321"}
    typed["representative_email"] = "x@example.cl"
    assert visitor.send(representative="11111111-1", **typed).shows("no es representante legal")
    assert visitor.send(representative=ROSA, **typed).shows("33.333.333-3 · Alguien Más")
    assert sign_in(Visitor(), MADERAS, ROSA, "MS204986").shows("Maderas del Sur")
    token = visitor.page.fields["csrfmiddlewaretoken"]
    company = Holder.objects.get(identifier=MADERAS)
    first, second = company.representatives.order_by("pk")
    for person in (first, second):
        last = visitor.post(f"/mi-cuenta/representantes/{person.pk}/quitar", {"csrfmiddlewaretoken": token})
    assert last.status == 400 and company.representatives.get() == second, "the last one stays"
    assert "actualizados" in mailbox.last(MADERAS_MAIL)["subject"]
    anothers = Holder.objects.get(identifier=AUSTRAL).representatives.get()
    visitor.post(f"/mi-cuenta/representantes/{anothers.pk}/quitar", {"csrfmiddlewaretoken": token})
    assert Holder.objects.get(identifier=AUSTRAL).representatives.exists()


def test_a_company_with_minimum_data_missing_is_told_to_update(visitor: Visitor) -> None:
    Holder.objects.filter(identifier=AUSTRAL).update(work_phone="")
    page = sign_in(visitor, AUSTRAL, ROSA, "CA739105")
    assert page.shows("Faltan datos mínimos", "el teléfono de la empresa")


def test_a_company_of_the_old_system_registers_again(visitor: Visitor) -> None:
    factories.holder("78000111-9", "PJ", legacy=True)
    assert register(visitor).shows("Su cuenta fue creada")
    assert sign_in(visitor, "78000111-9", "44444444-4", "QZ571938").shows("Empresa De Prueba Cuatro Ltda.")


def test_every_step_leaves_its_entry_in_the_audit(visitor: Visitor) -> None:
    register(visitor)
    begin(visitor, MADERAS)
    visitor.send(representative="11111111-1")
    visitor.send(representative=DIEGO)
    visitor.send(serial="987654321")
    visitor.send(right="no", email="nuevo@example.cl")
    found = set(Entry.objects.values_list("action", "outcome"))
    assert {
        ("holder.registered", "ok"),
        ("key.recovery", "not_representative"),
        ("holder.email_changed", "ok"),
        ("key.recovery", "ok"),
        ("registry.called", "ok"),
    } <= found
