"""A squatter does not outlive the owner's return (abuse case 50): two browsers, told from the front door."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from clave.credentials.models import Credential, SecretAnswer
from clave.holders.models import Holder
from clave.holders.service import AccountChanged
from clave.lib.request_context import RequestContext
from clave.selfservice.recover import service as recover
from clave.selfservice.update import service as update
from clave.signin.models import Session
from tests.everyone import EVERY, Who
from tests.story import REGISTRATION, Mailbox, Visitor
from tests.test_races import at_once

RUT, SERIAL, OWNER_MAIL, SQUATTER_MAIL = "44444444-4", "444555666", "duena@example.cl", "ladron@example.cl"
SQUATTER_KEY, ANSWER = REGISTRATION["new_key"], REGISTRATION["answer"]


@pytest.fixture
def squatter(demo: None) -> Visitor:
    """Somebody who has registered another's RUT."""
    browser = Visitor("198.51.100.9")
    browser.register(email=SQUATTER_MAIL, mobile="9999 9999")
    return browser


def comes_back(mailbox: Mailbox, mail: str = OWNER_MAIL) -> tuple[Visitor, str]:
    """The owner recovers with the identity card; return the browser and the temporary key."""
    owner = Visitor("203.0.113.7")
    owner.open("/persona/recuperar")
    owner.send(rut=RUT)
    if "answer" in owner.page.fields:
        owner.send(forgotten="on")
    owner.send(serial=SERIAL)
    page = owner.send(right="si") if mail == SQUATTER_MAIL else owner.send(right="no", email=mail)
    assert page.shows("ya no sirven", "elija otra pregunta secreta")
    return owner, mailbox.key(mail)


def prove_by_answer(visitor: Visitor) -> None:
    visitor.open("/persona/actualizar")
    visitor.send(rut=RUT, key=SQUATTER_KEY)
    visitor.send(question="mascota", answer=ANSWER)


@pytest.mark.abuse(50)
def test_the_former_key_opens_nothing(squatter: Visitor, mailbox: Mailbox) -> None:
    comes_back(mailbox)
    for path in ("/ingresar", "/persona/cambiar", "/persona/actualizar"):
        stranger = Visitor("198.51.100.10")
        stranger.open(path)
        page = stranger.send(rut=RUT, key=SQUATTER_KEY)
        assert page.status == 400 and page.shows(
            "no registrada o Clave SENCE incorrecta" if path == "/ingresar" else "no son correctos"
        )


@pytest.mark.abuse(50)
def test_the_former_secret_answer_is_gone(squatter: Visitor, mailbox: Mailbox) -> None:
    comes_back(mailbox)
    page = Visitor("198.51.100.10").ask_for_key(RUT, ANSWER)
    assert page.shows("La respuesta no es correcta")
    assert not SecretAnswer.objects.filter(holder__identifier=RUT).exists()


@pytest.mark.abuse(50)
def test_an_update_begun_before_is_closed_at_every_step(squatter: Visitor, mailbox: Mailbox) -> None:
    prove_by_answer(squatter)
    at_data, form = squatter.page.url, squatter.fill(email="otro@example.cl")
    question = Visitor("198.51.100.11")
    question.open("/persona/actualizar")
    question.send(rut=RUT, key=SQUATTER_KEY)
    comes_back(mailbox)
    assert squatter.open(at_data).shows("Este paso ya no está disponible")
    assert squatter.post(at_data, form).shows("Este paso ya no está disponible")
    assert question.send(question="mascota", answer=ANSWER).shows("Este paso ya no está disponible")
    assert Holder.objects.get(identifier=RUT).email == OWNER_MAIL


@pytest.mark.abuse(50)
def test_a_change_begun_before_cannot_be_finished_and_leaves_the_owners_key_alone(
    squatter: Visitor, mailbox: Mailbox
) -> None:
    squatter.open("/persona/cambiar")
    squatter.send(rut=RUT, key=SQUATTER_KEY)
    path, form = squatter.page.url, squatter.fill(new_key="PT739164", new_key_again="PT739164")
    owner, temporary = comes_back(mailbox)
    assert squatter.post(path, form).shows("Este paso ya no está disponible")
    assert owner.change_key(RUT, temporary, "NW604827").shows("Su clave fue cambiada")
    page = owner.sign_in(RUT, "NW604827")
    assert page.shows("Faltan datos mínimos", "su pregunta y respuesta secreta")


@pytest.mark.abuse(50)
def test_a_pending_temporary_key_of_the_squatters_and_open_sessions_end(squatter: Visitor, mailbox: Mailbox) -> None:
    squatter.ask_for_key(RUT, ANSWER)
    pending = mailbox.key(SQUATTER_MAIL)
    other = Visitor("198.51.100.12")
    assert other.sign_in(RUT, SQUATTER_KEY).shows("Mi cuenta")
    stolen = {name: morsel.value for name, morsel in other.client.cookies.items()}
    familiar = set(Holder.objects.get(identifier=RUT).known_browsers.values_list("axis", flat=True))
    comes_back(mailbox)
    assert squatter.change_key(RUT, pending, "PT739164").shows("no son correctos")
    assert other.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")
    assert stolen and not Session.objects.filter(holder__identifier=RUT).exists()
    [of_the_owner] = Holder.objects.get(identifier=RUT).known_browsers.all()
    assert familiar and of_the_owner.axis not in familiar


@pytest.mark.abuse(50)
def test_a_session_written_down_while_the_owner_came_back_lets_nobody_in(squatter: Visitor, mailbox: Mailbox) -> None:
    squatter.sign_in(RUT, SQUATTER_KEY)
    kept = Session.objects.get(holder__identifier=RUT)
    comes_back(mailbox)
    kept.save(force_insert=True)
    assert squatter.open("/mi-cuenta").shows("Ingresar con mi Clave SENCE")


@pytest.mark.abuse(50)
def test_the_key_goes_to_the_confirmed_mail_and_not_to_the_squatters_telephone(
    squatter: Visitor, mailbox: Mailbox
) -> None:
    comes_back(mailbox, SQUATTER_MAIL)
    assert [each["text"] for each in mailbox.to("+56999999999") if "temporal" in each["text"]] == []
    assert Credential.objects.get(holder__identifier=RUT).hash == ""


@pytest.mark.abuse(17, 50)
@pytest.mark.parametrize("who", EVERY[:2], ids=lambda who: who.path_prefix)
def test_changing_the_key_ends_what_the_former_one_began(visitor: Visitor, who: Who) -> None:
    thief = Visitor("198.51.100.13")
    if who.profile == "PJ":
        who.sign_in(thief)
        thief.open("/empresa/actualizar")
    else:
        thief.open(f"/{who.path_prefix}/actualizar")
        thief.send(**who.act, key=who.key)
    path = thief.page.url
    who.change(visitor, who.key, "NW604827")
    assert thief.open(path).shows("Este paso ya no está disponible")


@pytest.mark.abuse(50)
def test_a_company_taken_back_by_its_representative_ends_what_the_former_key_began(visitor: Visitor) -> None:
    maderas = {"rut": "77222333-1"}
    former = Visitor("198.51.100.14")
    former.open("/empresa/facilitador")
    former.send(**maderas, representative="22222222-2", key="MS204986")
    path = former.page.url
    assert former.open(path).shows("Descargue la declaración")
    visitor.open("/empresa/recuperar")
    visitor.send(**maderas)
    visitor.send(representative="22222222-2")
    visitor.send(serial="987654321")
    visitor.send(right="no", email="nueva@example.cl")
    assert former.open(path).shows("Este paso ya no está disponible")
    assert former.open(path.replace("declaracion", "plantilla.docx")).shows("Este paso ya no está disponible")
    former.open("/ingresar/empresa")
    assert former.send(**maderas, representative="22222222-2", key="MS204986").status == 400


@pytest.mark.abuse(50)
def test_of_an_update_and_a_return_at_once_the_return_always_holds(committed: None) -> None:
    """A hundred updates of the squatter's race the owner's return; none moves the mail after it."""
    browser = Visitor("198.51.100.9")
    browser.register(email=SQUATTER_MAIL)
    tries = 100 if connection.vendor == "postgresql" else 20
    before = Holder.objects.get(identifier=RUT)
    data = {"email": "otro@example.cl", "new_key": "", "street": "Otra"}

    def change(context: RequestContext) -> update.DataUpdated:
        return update.update(Holder.objects.get(pk=before.pk, version=before.version), data, None, context)

    squatters: list[Callable[[], object]] = [partial(change, RequestContext(f"192.0.2.{n}")) for n in range(tries)]
    results = at_once([*squatters, lambda: recover.by_card(before, OWNER_MAIL, RequestContext("203.0.113.7"))])
    assert isinstance(results[-1], recover.KeySent), results[-1]
    now = Holder.objects.get(identifier=RUT)
    assert now.email == OWNER_MAIL and now.version == before.version + 1
    refused = [each for each in results[:-1] if isinstance(each, (AccountChanged, Holder.DoesNotExist))]
    done = [each for each in results[:-1] if isinstance(each, update.DataUpdated)]
    assert len(refused) + len(done) == tries, results
