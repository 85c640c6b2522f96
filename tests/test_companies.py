"""Persona Jurídica: register, recover in its three cases, change, update, representatives (guide PJ)."""

import re
from itertools import product

import pytest

from clave.audit.models import Entry
from clave.core.visit import Visit
from clave.flows.models import Waiting
from clave.flows.recover.tasks import tell_who_waits
from clave.flows.register.tasks import verify_pending
from clave.holders.models import Holder
from clave.keys.models import SecretAnswer, TemporaryKey
from clave.registries import sii
from clave.sandbox import services
from clave.signin.models import Session
from tests.story import Mailbox, Page, Visitor

AUSTRAL, AUSTRAL_MAIL, ROSA, ROSA_PHONE = (
    "76543210-3",
    "contacto@capacita-austral.example.cl",
    "33333333-3",
    "+56987650003",
)
MADERAS, MADERAS_MAIL, DIEGO = "77222333-1", "contacto@maderas-del-sur.example.cl", "22222222-2"
NEW = {
    "rut": "78.000.111-9",
    "company_name": "Empresa De Prueba Cuatro",
    "kind": "OI",
    "question": "calle",
    "answer": "Los Boldos",
    "region": "13",
    "comuna": "13101",
    "street": "Huérfanos",
    "street_number": "1273",
    "email": "empresa@example.cl",
    "work_phone": "+56 2 2870 6100",
    "representative": "44.444.444-4",
    "representative_name": "Persona De Prueba Cuatro",
    "representative_mobile": "8765 4321",
    "representative_email": "cuatro@example.cl",
    "new_key": "QZ571938",
    "new_key_again": "QZ571938",
}


def register(visitor: Visitor, **changes: str) -> Page:
    visitor.open("/empresa/registrarse")
    return visitor.send(**{**NEW, **changes})


def sign_in(visitor: Visitor, company: str, person: str, key: str) -> Page:
    visitor.open("/ingresar/empresa")
    return visitor.send(rut=company, representative=person, key=key)


def begin(visitor: Visitor, company: str) -> Page:
    visitor.open("/empresa/recuperar")
    return visitor.send(rut=company)


def new_key(visitor: Visitor, company: str, person: str, old: str, new: str) -> Page:
    visitor.open("/empresa/cambiar")
    visitor.send(rut=company, representative=person, key=old)
    return visitor.send(new_key=new, new_key_again=new)


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
def test_what_cannot_be_registered_is_told_beside_its_field(visitor: Visitor, changes, message) -> None:
    page = register(visitor, **changes)
    assert page.shows(message) and page.status == 400
    assert page.fields["street"] == "Huérfanos" and Holder.objects.filter(identifier="78000111-9").count() == 0


@pytest.mark.parametrize("how", ["down", "nonsense", "slow"])
def test_when_the_sii_fails_the_account_is_made_unverified_and_verified_later(visitor: Visitor, how: str) -> None:
    services.behave("sii", how)
    assert register(visitor).shows("Su cuenta fue creada", "confirmaremos sus datos más tarde")
    assert sign_in(visitor, "78000111-9", "44444444-4", "QZ571938").shows("todavía no confirma")
    assert verify_pending.call() == 0
    services.behave("sii", "ok")
    sii._registry.cache_clear()
    assert verify_pending.call() == 1
    company = Holder.objects.get(identifier="78000111-9")
    assert (company.verification, company.names) == ("verified", "Empresa De Prueba Cuatro Ltda.")


def test_a_company_registered_by_who_does_not_represent_it_is_refused_later(visitor: Visitor, mailbox: Mailbox) -> None:
    services.behave("sii", "down")
    register(visitor, representative="22.222.222-2")
    services.behave("sii", "ok")
    sii._registry.cache_clear()
    verify_pending.call()
    assert "No pudimos confirmar" in mailbox.last("empresa@example.cl")["text"]
    assert sign_in(visitor, "78000111-9", "22222222-2", "QZ571938").shows("Esta cuenta no puede usarse")


def test_case_3_question_and_answer_known(visitor: Visitor, mailbox: Mailbox) -> None:
    assert begin(visitor, AUSTRAL).shows("Nombre de mi primera escuela", "RUT 76.543.210-3")
    assert visitor.send(answer="liceo austral").shows("Su clave va en camino", "contxxxx@capxxxx", "xx03")
    key = mailbox.key(AUSTRAL_MAIL)
    assert key == mailbox.key(ROSA_PHONE)
    assert new_key(visitor, AUSTRAL, ROSA, key, "NW604827").shows("Su clave fue cambiada")
    assert sign_in(visitor, AUSTRAL, ROSA, "NW604827").shows("Capacita Austral SpA")


def test_case_1_no_question_on_file_and_the_mail_is_right(visitor: Visitor, mailbox: Mailbox) -> None:
    page = begin(visitor, MADERAS)
    assert page.shows("RUT del representante legal", "Paso 2 de 4") and "Pregunta secreta" not in page.text
    assert visitor.send(representative="11.111.111-1").shows("no es representante legal")
    assert visitor.send(representative=DIEGO).shows("Número de serie", "Paso 3 de 4")
    assert visitor.send(serial="123123123").shows("no coincide con una cédula vigente")
    assert visitor.send(serial="987654321").shows("contxxxx@madxxxx", "¿El correo es correcto?")
    assert visitor.send(right="si").shows("Su clave va en camino")
    key = mailbox.key(MADERAS_MAIL)
    assert new_key(visitor, MADERAS, DIEGO, key, "NW604827").shows("Su clave fue cambiada")


def test_case_2_answer_forgotten_and_the_mail_replaced(visitor: Visitor, mailbox: Mailbox) -> None:
    other = Visitor("198.51.100.9")
    sign_in(other, AUSTRAL, ROSA, "CA739105")
    begin(visitor, AUSTRAL)
    assert visitor.send(forgotten="on").shows("RUT del representante legal")
    visitor.send(representative=ROSA)
    visitor.send(serial="123456789")
    assert visitor.send(right="no").shows("Falta completar: Correo actual")
    assert visitor.send(right="no", email="nuevo@example.cl").shows("nuevxxxx@exaxxxx")
    assert "nuevxxxx@exaxxxx" in mailbox.last(AUSTRAL_MAIL)["text"]
    company = Holder.objects.get(identifier=AUSTRAL)
    assert company.review_contact and company.email == "nuevo@example.cl"
    assert not Session.objects.filter(holder=company).exists()
    assert new_key(visitor, AUSTRAL, ROSA, mailbox.key("nuevo@example.cl"), "NW604827").shows("Su clave fue cambiada")


def test_a_representative_new_to_us_whom_the_sii_and_the_card_confirm_acts_for_the_company(
    visitor: Visitor, mailbox: Mailbox
) -> None:
    begin(visitor, MADERAS)
    visitor.send(representative=ROSA)
    visitor.send(serial="123456789")
    visitor.send(right="si")
    assert new_key(visitor, MADERAS, ROSA, mailbox.key(MADERAS_MAIL), "NW604827").shows("Su clave fue cambiada")


def test_the_old_address_generates_a_new_key(visitor: Visitor, mailbox: Mailbox) -> None:
    assert visitor.open("/Account/GenerarNuevaCusPj").shows("Generar nueva CUS de Persona Jurídica")
    visitor.send(rut=AUSTRAL)
    assert visitor.send(answer="Liceo Austral").shows("Su clave va en camino")
    assert mailbox.key(AUSTRAL_MAIL)


STEPS = ["pregunta", "representante", "cedula", "correo", "nacimiento", "aviso"]
# After each way through the first steps: what may be shown.
REACHED = {
    "question on file": (AUSTRAL, [], {"pregunta"}),
    "no question on file": (MADERAS, [], {"representante"}),
    "answer forgotten": (AUSTRAL, [{"forgotten": "on"}], {"pregunta", "representante"}),
    "representative confirmed": (MADERAS, [{"representative": DIEGO}], {"representante", "cedula"}),
    "representative refused": (MADERAS, [{"representative": "11111111-1"}], {"representante"}),
    "card confirmed": (
        MADERAS,
        [{"representative": DIEGO}, {"serial": "987654321"}],
        {"representante", "cedula", "correo"},
    ),
    "card refused": (MADERAS, [{"representative": DIEGO}, {"serial": "000000000"}], {"representante", "cedula"}),
    "finished": (MADERAS, [{"representative": DIEGO}, {"serial": "987654321"}, {"right": "si"}], set()),
}


@pytest.mark.abuse(23)
@pytest.mark.parametrize(("way", "step"), list(product(REACHED, STEPS)))
def test_no_step_of_the_recovery_is_reached_but_by_the_one_before(visitor: Visitor, way: str, step: str) -> None:
    company, forms, allowed = REACHED[way]
    run = re.search(r"/empresa/recuperar/([0-9a-f]+)/", begin(visitor, company).url)
    for form in forms:
        visitor.send(**form)
    path = f"/empresa/recuperar/{run[1]}/{step}"
    keys_before = TemporaryKey.objects.count()
    if step in allowed:
        assert visitor.open(path).status == 200 and visitor.open(path).status == 200, "a reload is harmless"
        assert Visitor().open(path).status == 403, "another browser"
    else:
        assert visitor.open(path).shows("Este paso ya no está disponible") and visitor.page.status == 403
        data = {"csrfmiddlewaretoken": visitor.client.cookies["csrftoken"].value, "envio": "x" * 20, "right": "si"}
        assert visitor.post(path, {**data, "serial": "987654321", "representative": DIEGO}).status == 403
    # Nor does a person's recovery lend its steps to a company's.
    assert visitor.open(path.replace("/empresa/", "/persona/")).status in (403, 404)
    assert TemporaryKey.objects.count() == keys_before


def test_the_steps_expire_after_a_quarter_of_an_hour_and_lead_back(visitor: Visitor, clock) -> None:
    begin(visitor, MADERAS)
    visitor.send(representative=DIEGO)
    assert f'href="{visitor.page.url.replace("cedula", "representante")}"' in visitor.page.html
    clock.move(minutes=15, seconds=1)
    assert visitor.open(visitor.page.url).shows("Este paso ya no está disponible", "Pasaron más de 15 minutos")


@pytest.mark.parametrize(
    ("registry", "forms"), [("sii", []), ("registro_civil", [{"representative": DIEGO}])], ids=["sii", "civil"]
)
def test_when_a_registry_is_down_recovery_says_so_and_writes_when_it_is_back(
    visitor: Visitor, mailbox: Mailbox, registry: str, forms: list[dict[str, str]]
) -> None:
    begin(visitor, MADERAS)
    for form in forms:
        visitor.send(**form)
    services.behave(registry, "down")
    page = visitor.send(representative=DIEGO) if not forms else visitor.send(serial="987654321")
    assert page.shows("no responde", "Avísenme por correo cuando el registro responda")
    visitor.open(re.search(r'href="([^"]+/aviso)"', page.html)[1])
    assert visitor.send(email="aviso@example.cl").shows("Le avisaremos", "avisxxxx@exaxxxx")
    assert tell_who_waits.call() == 0 and Waiting.objects.count() == 1
    services.behave(registry, "ok")
    from clave.registries import registro_civil

    sii._registry.cache_clear()
    registro_civil._registry.cache_clear()
    assert tell_who_waits.call() == 1
    assert "ya responde" in mailbox.last("aviso@example.cl")["subject"]
    assert tell_who_waits.call() == 0 and not Waiting.objects.exists()


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
    from clave.core import clock

    Holder.objects.create(
        profile="PJ", identifier="78000111-9", legacy=True, created_at=clock.now(), updated_at=clock.now()
    )
    assert register(visitor).shows("Su cuenta fue creada")
    assert sign_in(visitor, "78000111-9", "44444444-4", "QZ571938").shows("Empresa De Prueba Cuatro Ltda.")


def test_after_five_failures_the_sii_is_left_alone_and_asked_again_later(visitor: Visitor) -> None:
    services.behave("sii", "down")
    for _ in range(6):
        begin_and_name(visitor)
    outcomes = list(Entry.objects.filter(action="registry.called").order_by("pk").values_list("outcome", flat=True))
    assert outcomes[0] == "down" and outcomes[-1] == "circuit_open"
    services.behave("sii", "ok")
    assert begin_and_name(visitor).shows("no responde"), "nobody is kept waiting while it rests"
    sii.registry().breaker.half_open()
    assert begin_and_name(visitor).shows("Número de serie")


def begin_and_name(visitor: Visitor) -> Page:
    begin(visitor, MADERAS)
    return visitor.send(representative=DIEGO)


@pytest.mark.abuse(1)
def test_unknown_companies_look_like_either_case(demo: None) -> None:
    """Were all unknown companies asked a question, one that is not asked would be known to be registered."""
    seen = set()
    for number in range(60):
        from clave.core.rut import check_digit

        company = f"{78100000 + number}-{check_digit(78100000 + number)}"
        page = begin(Visitor(f"198.51.100.{number}"), company)
        seen.add("representante" in page.url)
    assert seen == {True, False}


@pytest.mark.abuse(8)
def test_guessing_representatives_is_stopped(visitor: Visitor) -> None:
    begin(visitor, MADERAS)
    for _ in range(3):
        visitor.send(representative="11111111-1")
    assert visitor.send(representative="11111111-1").shows("Demasiados intentos")


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
    assert Visit("x").address == "x"
