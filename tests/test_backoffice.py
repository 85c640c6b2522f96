"""The help desk: who gets in, what it sees, what it does, and that everything has a reason (mission.md, section 9)."""

from datetime import timedelta

import pyotp
import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries, Settings

from clave.audit.models import Entry
from clave.backoffice.models import OperatorAction
from clave.credentials import throttling
from clave.holders.models import Holder
from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.lib.request_context import RequestContext
from clave.lib.rut import check_digit
from clave.selfservice.facilitators import service as facilitator
from clave.selfservice.models import ContactChange
from tests import factories
from tests.desk import Desk
from tests.firms import AUSTRAL, AUSTRAL_MAIL, DIEGO, MADERAS, MADERAS_MAIL
from tests.firms import begin as begin_recovery
from tests.story import Mailbox, Visitor, found
from tests.test_facilitators import ask, asked

CAMILA, CAMILA_MAIL = "11111111-1", "camila.rojas@example.cl"


@pytest.fixture
def agent(demo: None) -> Desk:
    return Desk("agente")


# Getting in


@pytest.mark.parametrize(
    "wrong", [{"password": "otra clave muy larga"}, {"code": "000000"}, {"email": "nadie@mesa.example.cl"}]
)
def test_password_and_code_are_both_needed_and_what_is_wrong_is_not_said(agent: Desk, wrong: dict[str, str]) -> None:
    agent.client.cookies.clear()
    page = agent.enter(**wrong)
    assert page.shows("El correo, la clave o el código no son correctos") and page.status == 400
    assert agent.open("/backoffice/").url == "/backoffice/ingresar"


def test_a_code_serves_once(agent: Desk) -> None:
    other = Visitor()
    other.open("/backoffice/ingresar")
    page = other.send(email=agent.email, password="una clave de demostracion", code=agent.code())
    assert page.shows("no son correctos")


def test_guessing_an_operators_password_is_stopped(agent: Desk) -> None:
    other = Visitor()
    for _ in range(6):
        other.open("/backoffice/ingresar")
        page = other.send(email=agent.email, password="no es la clave", code="123456")
    assert page.status == 429 and page.shows("Demasiados intentos")


def test_after_a_quarter_of_an_hour_of_nothing_one_signs_in_again(demo: None, clock: Stopped) -> None:
    agent = Desk()
    for _ in range(3):
        clock.move(minutes=14)
        assert agent.open("/backoffice/").status == 200 and agent.page.url == "/backoffice/"
    clock.move(minutes=15, seconds=1)
    assert agent.open("/backoffice/").url == "/backoffice/ingresar"


@pytest.mark.abuse(17)
def test_signing_in_gives_a_new_session_and_signing_out_ends_it(demo: None) -> None:
    agent = Desk()
    first = agent.client.cookies["sesion"].value
    agent.enter()
    assert agent.client.cookies["sesion"].value != first
    agent.post("/backoffice/salir", {"csrfmiddlewaretoken": agent.client.cookies["csrftoken"].value})
    assert agent.open("/backoffice/").url == "/backoffice/ingresar"


def test_a_holder_is_no_operator_and_an_operator_no_holder(visitor: Visitor) -> None:
    visitor.sign_in(CAMILA, "KM482915")
    assert visitor.open("/backoffice/").url == "/backoffice/ingresar"
    assert "Camila" not in Desk().open("/mi-cuenta").text


def test_the_first_supervisor_is_invited_on_the_command_line_and_takes_it_up(
    demo: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("add_operator", "jefa@mesa.example.cl", "Jefa")
    code = found(r": (\w{12})", capsys.readouterr().out)[1]
    visitor = Visitor()
    visitor.open("/backoffice/invitacion")
    typed = {"email": "jefa@mesa.example.cl", "password": "corta", "again": "corta"}
    assert visitor.send(code="ABCDEFGH2345", **typed).shows("no sirven")
    assert visitor.send(code=code, **typed).shows("15 a 64 caracteres")
    typed = {"email": "jefa@mesa.example.cl", "password": "arboles sobre la colina", "again": "arboles sobre la colina"}
    page = visitor.send(code=code.lower(), **typed)
    secret = found(r'class="destacado clave">([A-Z2-7]+)<', page.html)[1]
    assert visitor.send(code="000000").shows("no son correctos")
    now = int(clave_clock.now().timestamp())
    assert visitor.send(code=pyotp.TOTP(secret).at(now - 30)).url == "/backoffice/ingresar"
    page = visitor.send(email="jefa@mesa.example.cl", password=typed["password"], code=pyotp.TOTP(secret).at(now))
    assert page.shows("Salir (Jefa, Supervisor)")
    visitor.open("/backoffice/invitacion")
    assert visitor.send(code=code, **typed).shows("no sirven"), "an invitation serves once"


# Finding


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("11.111.111-1", "RUT 11.111.111-1"),
        ("111111111", "RUT 11.111.111-1"),
        ("76543210-3", "Persona Jurídica"),
        ("900 123 456", "NIE 900123456"),
        ("CAMILA.ROJAS@example.cl", "RUT 11.111.111-1"),
        ("nadie@example.cl", "No hay nada con ese dato"),
        ("' OR 1=1 --", "No hay nada con ese dato"),
        ("99-2026", "No hay nada con ese dato"),
    ],
)
def test_one_box_finds_by_rut_nie_mail_and_folio(agent: Desk, text: str, shown: str) -> None:
    page = agent.search(text)
    assert page.shows(shown)
    assert "Camila" not in page.text and "Jean" not in page.text, "nothing personal before a reason"


def test_it_finds_requests_by_folio_and_facilitators_by_document(agent: Desk, visitor: Visitor) -> None:
    ask(visitor)
    assert agent.search(asked().folio).shows("Solicitud", "En revisión")
    facilitator.approve(asked(), "1", RequestContext("x"))
    assert agent.search("AB-123456").shows("Pasaporte AB123456")


# Looking


@pytest.mark.abuse(36)
def test_before_an_account_is_shown_a_reason_is_given_and_the_holder_sees_it(agent: Desk, visitor: Visitor) -> None:
    holder = Holder.objects.get(identifier=CAMILA)
    page = agent.open(f"/backoffice/titular/{holder.pk}")
    assert page.shows("¿Por qué abre esta cuenta?") and "Camila" not in page.text
    assert agent.send(reason="").shows("Falta completar: Motivo")
    assert agent.send(reason="other", note="x").shows("Explique el motivo")
    page = agent.send(reason="call", note="no le llega el correo")
    assert page.shows("Camila Rojas Soto", "camixxxx@exaxxxx", "no le llega el correo", "Agente de prueba")
    assert CAMILA_MAIL not in page.html and "+56987650001" not in page.html
    entry = Entry.objects.filter(action="backoffice.seen").get()
    assert entry.detail == {"operator": str(agent.operator.pk), "reason": "call", "note": "no le llega el correo"}
    visitor.sign_in(CAMILA, "KM482915")
    assert visitor.open("/mi-cuenta/mis-datos").shows("La persona llamó", "no le llega el correo", "Agente")


def test_a_reason_serves_for_a_quarter_of_an_hour_and_one_account(demo: None, clock: Stopped) -> None:
    agent = Desk()
    agent.account(CAMILA)
    other = Holder.objects.get(identifier="22222222-2")
    assert agent.open(f"/backoffice/titular/{other.pk}/clave").url.endswith("/motivo")
    clock.move(minutes=10)
    assert agent.account(CAMILA).shows("Camila Rojas Soto")
    clock.move(minutes=6)
    camila = Holder.objects.get(identifier=CAMILA)
    assert agent.open(f"/backoffice/titular/{camila.pk}").url.endswith("/motivo")


@pytest.mark.abuse(36, 38)
def test_the_full_contact_is_shown_only_after_another_reason(agent: Desk) -> None:
    agent.account(CAMILA)
    page = agent.act(CAMILA, "contacto-completo", reason="claim", note="carta 12")
    assert page.shows(CAMILA_MAIL, "+56987650001")
    assert OperatorAction.objects.filter(kind="revealed", reason="claim", note="carta 12").count() == 1


@pytest.mark.abuse(38)
def test_no_page_of_the_desk_holds_a_key_or_an_answer(
    demo: None, visitor: Visitor, mailbox: Mailbox, settings: Settings
) -> None:
    settings.KEY_DELIVERY = "screen"
    agent = Desk()
    agent.account(AUSTRAL)
    pages = [agent.act(AUSTRAL, "pregunta")]
    link = found(r"/confirmar\?codigo=\S+", mailbox.last(AUSTRAL_MAIL)["text"])[0]
    visitor.open(link)
    visitor.send(question="mascota", answer="Palabra Canaria")
    pages += [agent.act(AUSTRAL, "clave"), agent.account(AUSTRAL)]
    watcher = Desk("auditor")
    pages.append(watcher.open("/backoffice/auditoria"))
    key = mailbox.key(AUSTRAL_MAIL)
    for page in pages:
        assert key not in page.html and link.partition("=")[2] not in page.html
        assert "anaria" not in page.html and "$argon2" not in page.html
    assert begin_recovery(visitor, AUSTRAL).shows("Nombre de mi mascota")
    assert visitor.send(answer="palabra canaria").shows("Su clave temporal")
    dump = str(list(Entry.objects.values_list("detail", flat=True)))
    assert key not in dump and "anaria" not in dump


@pytest.mark.abuse(19)
def test_what_people_and_browsers_send_is_text_on_the_desks_pages(demo: None) -> None:
    Visitor(HTTP_USER_AGENT="<script>alert(1)</script>").sign_in(CAMILA, "AA000000")
    Holder.objects.filter(identifier=CAMILA).update(names="<b>Camila</b>")
    assert "<b>Camila" not in Desk().account(CAMILA).html
    assert "<script>alert" not in Desk("supervisor").open("/backoffice/auditoria").html


# Acting


def test_a_locked_holder_is_unlocked(agent: Desk) -> None:
    for _ in range(6):
        throttling.limits("key", CAMILA, RequestContext("203.0.113.9")).fail()
    assert Visitor("203.0.113.8").sign_in(CAMILA, "KM482915").status == 429
    assert agent.account(CAMILA).shows("bloqueada hasta las")
    assert agent.act(CAMILA, "desbloquear").shows("La clave quedó desbloqueada")
    assert "bloqueada hasta" not in agent.page.text
    assert Visitor("203.0.113.8").sign_in(CAMILA, "KM482915").shows("Camila Rojas Soto")


def test_a_key_goes_to_the_contact_on_file(agent: Desk, mailbox: Mailbox, visitor: Visitor) -> None:
    agent.account(CAMILA)
    page = agent.act(CAMILA, "clave")
    assert page.shows("La clave temporal va en camino", "clave temporal hasta las")
    assert visitor.change_key(CAMILA, mailbox.key(CAMILA_MAIL), "NW604827").shows("Su clave fue cambiada")


def test_an_account_of_the_old_system_gets_no_key(agent: Desk) -> None:
    agent.account("66666666-6")
    assert agent.act("66666666-6", "clave").shows("debe registrarse otra vez")


def test_the_call_centre_updates_a_company_which_then_generates_its_key(agent: Desk, mailbox: Mailbox) -> None:
    """The call of mission.md, section 4: the representative, not the agent, types question and answer."""
    agent.account(MADERAS)
    page = agent.act(MADERAS, "contacto", email="nuevo@maderas.example.cl", work_phone="45 221 0000")
    assert page.shows("El cambio espera confirmación", "/empresa/confirmar")
    assert "nuevxxxx@madxxxx" in mailbox.last(MADERAS_MAIL)["text"]
    visitor = Visitor()
    visitor.open("/empresa/confirmar")
    visitor.send(rut=MADERAS, representative=DIEGO, serial="987654321")
    page = visitor.send()
    visitor.open(found(r'href="(/confirmar/\w+/pregunta)"', page.html)[1])
    visitor.send(question="mascota", answer="Canelo")
    visitor.open("/Account/GenerarNuevaCusPj")
    assert visitor.send(rut=MADERAS).shows("Nombre de mi mascota")
    visitor.send(answer="canelo")
    assert mailbox.key("nuevo@maderas.example.cl")
    assert agent.account(MADERAS).shows("espera revisión")
    assert agent.act(MADERAS, "revisado").shows("Usted ya tuvo parte en esto")
    boss = Desk("supervisor", "198.51.100.201")
    boss.account(MADERAS)
    assert boss.act(MADERAS, "revisado").shows("El cambio quedó revisado")
    assert not Holder.objects.get(identifier=MADERAS).review_contact


def test_who_updates_its_own_data_is_not_changed_by_the_desk(agent: Desk) -> None:
    agent.account(CAMILA)
    assert "Actualizar el contacto" not in agent.page.text
    holder = Holder.objects.get(identifier=CAMILA)
    assert agent.open(f"/backoffice/titular/{holder.pk}/contacto").status == 403


@pytest.mark.abuse(37)
@pytest.mark.parametrize("order", [("contacto", "clave"), ("clave", "contacto")])
def test_moving_a_mail_and_sending_a_key_take_two_persons(demo: None, clock: Stopped, order: tuple[str, str]) -> None:
    typed = {"contacto": {"email": "otra@example.cl"}, "clave": {}}
    first, second = Desk("agente"), Desk("supervisor", "198.51.100.201")
    first.account(AUSTRAL)
    first.act(AUSTRAL, order[0], **typed[order[0]])
    page = first.act(AUSTRAL, order[1], **typed[order[1]])
    assert page.status == 403 and page.shows("quien cambia un correo no envía una clave")
    assert Entry.objects.filter(action="backoffice.refused", outcome="two_persons").count() == 1
    second.account(AUSTRAL)
    assert second.act(AUSTRAL, order[1], **typed[order[1]]).status == 200
    clock.move(hours=24, seconds=1)
    first.enter()
    first.account(AUSTRAL)
    ContactChange.objects.all().delete()
    assert first.act(AUSTRAL, order[1], **typed[order[1]]).status == 200


def test_the_number_of_queries_does_not_grow_with_the_holders(
    demo: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    agent = Desk()
    agent.account(CAMILA)
    holder = Holder.objects.get(identifier=CAMILA)
    before = clave_clock.now() - timedelta(days=1)
    runs = [f"{n}-{check_digit(n)}" for n in range(30_000_000, 30_000_500)]
    factories.holders(runs, email="igual@example.cl", created_at=before)
    with django_assert_max_num_queries(12):
        agent.open(f"/backoffice/titular/{holder.pk}")
    agent.open("/backoffice/")
    data = agent.fill(text="igual@example.cl")
    with django_assert_max_num_queries(6):
        page = agent.post("/backoffice/", data)
    assert page.html.count('<li><a href="/backoffice/titular/') == 20
