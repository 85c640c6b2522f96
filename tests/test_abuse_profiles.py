"""Abuse cases 2 to 13 once more, for companies, migrants and facilitators: what protects a person protects them too."""

import logging
import re

import pytest

from clave.audit.models import Entry
from clave.credentials import throttling
from clave.lib.clock import Stopped
from clave.lib.request_context import RequestContext
from clave.sandbox import people
from tests.everyone import EVERY, Who, make_facilitator
from tests.firms import NEW as COMPANY
from tests.story import Mailbox, Visitor
from tests.test_abuse import dump_of_everything
from tests.test_migrants import NEW as MIGRANT
from tests.test_races import done_at_once, posting

each = pytest.mark.parametrize("who", EVERY, ids=lambda who: who.path_prefix)


@pytest.fixture
def visitor(demo: None) -> Visitor:
    make_facilitator()
    return Visitor()


@pytest.mark.abuse(2)
@each
def test_a_question_is_shown_only_after_a_captcha(visitor: Visitor, who: Who) -> None:
    visitor.open(f"/{who.path_prefix}/recuperar")
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
    from clave.lib import clock
    from clave.selfservice.models import Waiting
    from clave.selfservice.recover.tasks import tell_who_waits

    for _ in range(30):
        Waiting.objects.create(registry="sii", email="victima@example.cl", created_at=clock.now())
    tell_who_waits.call()
    assert len(mailbox.to("victima@example.cl")) == 20 and not Waiting.objects.exists()


@pytest.mark.abuse(7)
@each
def test_a_stranger_locks_nobody_out_of_a_known_browser(visitor: Visitor, who: Who) -> None:
    assert who.sign_in(visitor).shows(who.name)
    for _ in range(6):
        throttling.limits("key", who.account, RequestContext("198.51.100.66", "b")).fail()
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
    visitor: Visitor, mailbox: Mailbox, clock: Stopped, who: Who
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
        person.open(f"/{who.path_prefix}/cambiar")
        person.send(**who.act, key=who.key)
        form = person.fill(new_key=f"NW60482{number}", new_key_again=f"NW60482{number}")
        jobs.append(posting(person, form))
    texts = [page.text for page in done_at_once(jobs)]
    assert sum("Su clave fue cambiada" in text for text in texts) == 1
    # Who comes while the winner writes is told so; who comes later has no step left, for the account has changed.
    lost = ("ya fue cambiada con esta validación", "Este paso ya no está disponible", "Su cuenta cambió mientras tanto")
    assert sum(any(told in text for told in lost) for text in texts) == 3


@pytest.mark.abuse(13)
@each
def test_the_present_key_and_ones_own_numbers_are_refused(visitor: Visitor, who: Who) -> None:
    assert who.change(visitor, who.key, who.key).shows("no puede ser igual a la anterior")
    digits = re.sub(r"\D", "", who.identifier)[:6]
    assert who.change(visitor, who.key, f"QZ{digits}").shows("no puede contener los números de su")
