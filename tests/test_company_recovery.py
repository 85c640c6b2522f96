"""A company recovers its key in its three cases, step by step and in no other order (guide PJ)."""

from itertools import product

import pytest

from clave.audit.models import Entry
from clave.credentials.models import TemporaryKey
from clave.holders.models import Holder
from clave.lib.clock import Stopped
from clave.registries import sii
from clave.sandbox import services
from clave.selfservice.models import Waiting
from clave.selfservice.recover.tasks import tell_who_waits
from clave.signin.models import Session
from tests.firms import (
    AUSTRAL,
    AUSTRAL_MAIL,
    DIEGO,
    MADERAS,
    MADERAS_MAIL,
    ROSA,
    ROSA_PHONE,
    begin,
    new_key,
    sign_in,
)
from tests.story import Mailbox, Page, Visitor, found


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
@pytest.mark.slow
def test_no_step_of_the_recovery_is_reached_but_by_the_one_before(visitor: Visitor, way: str, step: str) -> None:
    company, forms, allowed = REACHED[way]
    run = found(r"/empresa/recuperar/([0-9a-f]+)/", begin(visitor, company).url)[1]
    for form in forms:
        visitor.send(**form)
    path = f"/empresa/recuperar/{run}/{step}"
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


def test_the_steps_expire_after_a_quarter_of_an_hour_and_lead_back(visitor: Visitor, clock: Stopped) -> None:
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
    services.set_behaviour(registry, "down")
    page = visitor.send(representative=DIEGO) if not forms else visitor.send(serial="987654321")
    assert page.shows("no responde", "Avísenme por correo cuando el registro responda")
    visitor.open(found(r'href="([^"]+/aviso)"', page.html)[1])
    assert "¿No quiere esperar?" not in visitor.page.text, "one is there already"
    assert visitor.send(email="aviso@example.cl").shows("Le avisaremos", "avisxxxx@exaxxxx")
    assert tell_who_waits.call() == 0 and Waiting.objects.count() == 1
    services.set_behaviour(registry, "ok")
    from clave.registries import registro_civil

    sii._registry.cache_clear()
    registro_civil._registry.cache_clear()
    assert tell_who_waits.call() == 1
    assert "ya responde" in mailbox.last("aviso@example.cl")["subject"]
    assert tell_who_waits.call() == 0 and not Waiting.objects.exists()


def test_after_five_failures_the_sii_is_left_alone_and_asked_again_later(visitor: Visitor) -> None:
    services.set_behaviour("sii", "down")
    for _ in range(6):
        begin_and_name(visitor)
    outcomes = list(Entry.objects.filter(action="registry.called").order_by("pk").values_list("outcome", flat=True))
    assert outcomes[0] == "down" and outcomes[-1] == "circuit_open"
    services.set_behaviour("sii", "ok")
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
        from clave.lib.rut import check_digit

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
