"""What else must not outlive the owner's return, or stop it (abuse cases 48, 50, 66, 69 and 71)."""

import re
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from clave.credentials import throttling
from clave.credentials.models import Credential
from clave.holders.models import Holder
from clave.holders.service import ClaimedIdentity, require_minimum_data
from clave.lib.clock import Stopped
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.privacy.models import Petition
from clave.selfservice.models import FacilitatorRequest
from clave.selfservice.recover import service as recover
from clave.signin import service as signin
from clave.training.models import Enrolment
from tests import factories, files, firms
from tests.desk import Desk
from tests.story import REGISTRATION, Mailbox, Visitor
from tests.test_races import at_once
from tests.test_takeover import ANSWER, OWNER_MAIL, RUT, SERIAL, SQUATTER_KEY, SQUATTER_MAIL, comes_back, squatter

__all__ = ["squatter"]
CAMILA, KEY, COMPANY = "11111111-1", "KM482915", "78000111-9"


def key_to(mailbox: Mailbox, destination: str) -> str:
    """Return the newest temporary key that went there."""
    found = (re.search(r"\b[A-Z]{4}[0-9]{6}\b", message["text"]) for message in mailbox.to(destination))
    return next(match[0] for match in found if match)


def recover_by_answer(context: RequestContext) -> recover.KeySent:
    """Do what the page of the secret answer does."""
    return recover.by_answer(recover.check_answer(ClaimedIdentity("PN", RUT), ANSWER, context), context)


def back_to_the_card(rut: str = RUT) -> Visitor:
    owner = Visitor("203.0.113.7")
    owner.open("/persona/recuperar")
    owner.send(rut=rut)
    if "answer" in owner.page.fields:
        owner.send(forgotten="on")
    return owner


@pytest.mark.abuse(50)
def test_a_recovery_by_answer_that_was_under_way_sends_nothing(
    squatter: Visitor, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = require_minimum_data

    def meanwhile(holder: Holder) -> None:
        monkeypatch.setattr(recover, "require_minimum_data", real)
        comes_back(mailbox)
        real(holder)

    monkeypatch.setattr(recover, "require_minimum_data", meanwhile)
    assert squatter.ask_for_key(RUT, ANSWER).shows("Su cuenta cambió mientras tanto")
    assert [each for each in mailbox.to(SQUATTER_MAIL) if "temporal" in each["subject"]] == []
    owner = Visitor("203.0.113.7")
    assert owner.change_key(RUT, key_to(mailbox, OWNER_MAIL), "NW604827").shows("Su clave fue cambiada")


@pytest.mark.abuse(50)
def test_of_recoveries_at_once_the_key_lies_with_the_owner(committed: None) -> None:
    Visitor("198.51.100.9").register(email=SQUATTER_MAIL)
    before = Holder.objects.get(identifier=RUT)
    tries = 99 if connection.vendor == "postgresql" else 19
    answers: list[Callable[[], recover.KeySent]] = [
        partial(recover_by_answer, RequestContext(f"192.0.2.{n}", f"b{n}")) for n in range(tries)
    ]
    results = at_once([*answers, lambda: recover.by_card(before, OWNER_MAIL, RequestContext("203.0.113.7"))])
    assert isinstance(results[-1], recover.KeySent), results[-1]
    from clave.notifications.models import Message

    newest = Message.objects.filter(template="temporary_key", channel="email").order_by("-created_at")[0]
    assert newest.destination == OWNER_MAIL
    # Some or all may have come before the owner; whoever comes later has no answer any more.
    assert all(isinstance(each, recover.KeySent | Refused) for each in results), results
    [late] = at_once([lambda: recover_by_answer(RequestContext("192.0.2.200", "late"))])
    assert isinstance(late, Refused), late


@pytest.mark.abuse(50)
def test_an_account_of_the_old_system_is_registered_by_nobody_else_once_its_owner_is_back(
    demo: None, mailbox: Mailbox
) -> None:
    factories.holder(RUT, names="Persona", email="vieja@example.cl", legacy=True)
    owner = back_to_the_card()
    owner.send(serial=SERIAL)
    owner.send(right="no", email=OWNER_MAIL)
    owner.change_key(RUT, key_to(mailbox, OWNER_MAIL), "NW604827")
    page = Visitor("198.51.100.9").register(email=SQUATTER_MAIL)
    assert page.shows("Esta cuenta ya tiene Clave SENCE")
    assert Holder.objects.get(identifier=RUT).email == OWNER_MAIL


@pytest.mark.abuse(50)
def test_a_squatters_petition_to_delete_the_account_is_void(squatter: Visitor, mailbox: Mailbox) -> None:
    factories.enrolment(RUT)
    squatter.sign_in(RUT, SQUATTER_KEY)
    squatter.open("/mi-cuenta/mis-datos/pedir")
    squatter.send(right="deletion", words="por favor", key=SQUATTER_KEY)
    asked = Petition.objects.get()
    comes_back(mailbox)
    supervisor = Desk("supervisor")
    supervisor.open(f"/backoffice/datos/{asked.pk}")
    page = supervisor.send(decision="si", reason="Procede")
    assert page.status == 409 and page.shows("El titular recuperó su cuenta después de esta solicitud")
    assert Holder.objects.filter(identifier=RUT).exists() and Enrolment.objects.filter(run=RUT).exists()
    assert supervisor.send(decision="no", reason="La pidió otra persona").shows("La solicitud quedó resuelta")


@pytest.mark.abuse(50)
def test_the_squatters_mobile_gets_no_key_of_the_owners(squatter: Visitor, mailbox: Mailbox) -> None:
    owner, temporary = comes_back(mailbox, SQUATTER_MAIL)
    owner.change_key(RUT, temporary, "NW604827")
    desk = Desk()
    desk.account(RUT)
    assert desk.act(RUT, "clave").shows("La clave temporal va en camino")
    assert not [each for each in mailbox.to("+56999999999") if "temporal" in each["text"]]


@pytest.mark.abuse(50)
def test_a_facilitators_request_of_a_squatting_company_is_not_approved(demo: None, mailbox: Mailbox) -> None:
    from tests.test_facilitators import DATA

    former = Visitor("198.51.100.9")
    firms.register(former, email=SQUATTER_MAIL)
    former.open("/empresa/facilitador")
    former.send(rut=COMPANY, representative=RUT, key=REGISTRATION["new_key"])
    former.send(affidavit=files.brought(files.pdf(), "d.pdf"))
    former.send(**{**DATA, "email": SQUATTER_MAIL}, scan=files.brought(files.image(), "p.png"))
    owner = Visitor("203.0.113.7")
    firms.begin(owner, COMPANY)
    owner.send(forgotten="on")
    owner.send(representative=RUT)
    owner.send(serial=SERIAL)
    owner.send(right="no", email=OWNER_MAIL)
    reviewer = Desk("revisor")
    reviewer.open(f"/backoffice/solicitudes/{FacilitatorRequest.objects.get().pk}")
    page = reviewer.send(decision="si", reason="")
    assert page.status == 409 and page.shows("La empresa recuperó su cuenta después de esta solicitud")
    assert not Holder.objects.filter(profile="FE").exists()


@pytest.mark.abuse(50)
def test_a_sign_in_under_way_makes_no_browser_known(squatter: Visitor, mailbox: Mailbox) -> None:
    context = RequestContext("198.51.100.9", browser="b" * 32)
    proof = signin.prove(ClaimedIdentity("PN", RUT), SQUATTER_KEY, context, human=True, explain=False)
    recover.by_card(Holder.objects.get(identifier=RUT), OWNER_MAIL, RequestContext("203.0.113.7"))
    signin.let_in(proof, context)
    assert not Holder.objects.get(identifier=RUT).known_browsers.exists()


# What must not stop the owner


@pytest.mark.abuse(48)
def test_the_card_works_again_when_the_first_key_was_not_used(
    squatter: Visitor, mailbox: Mailbox, clock: Stopped
) -> None:
    comes_back(mailbox)
    clock.move(hours=2)
    owner = back_to_the_card()
    owner.send(serial=SERIAL)
    assert owner.send(right="si").shows("Su clave va en camino")
    assert owner.change_key(RUT, key_to(mailbox, OWNER_MAIL), "NW604827").shows("Su clave fue cambiada")


@pytest.mark.abuse(48)
def test_wrong_serials_of_a_stranger_do_not_stop_the_owners_card(squatter: Visitor, mailbox: Mailbox) -> None:
    for _ in range(3):
        stranger = Visitor("198.51.100.66")
        stranger.open("/persona/recuperar")
        stranger.send(rut=RUT)
        stranger.send(forgotten="on")
        for number in range(4):
            stranger.send(serial=f"12345678{number}")
    assert stranger.page.status == 429
    comes_back(mailbox)


@pytest.mark.abuse(48)
def test_wrong_keys_of_a_stranger_do_not_stop_the_owners_temporary_key(squatter: Visitor, mailbox: Mailbox) -> None:
    owner, temporary = comes_back(mailbox)
    for number in range(8):
        stranger = Visitor("198.51.100.66")
        stranger.open("/persona/cambiar")
        stranger.send(rut=RUT, key=f"ZZ11199{number}")
    assert stranger.page.status == 429
    assert owner.change_key(RUT, temporary, "NW604827").shows("Su clave fue cambiada")


@pytest.mark.abuse(66)
def test_browsers_made_known_give_no_more_tries_at_the_answer(demo: None) -> None:
    seen = []
    for number in range(6):
        visitor = Visitor("198.51.100.77")
        visitor.sign_in(CAMILA, KEY)
        visitor.open("/persona/actualizar")
        visitor.send(rut=CAMILA, key=KEY)
        seen.append(visitor.send(question="mascota", answer=f"mala {number}").status)
    assert seen == [400] * throttling.ANSWER.free + [429] * 3


@pytest.mark.abuse(69)
def test_anothers_account_with_ones_mail_does_not_use_up_ones_keys(squatter: Visitor, mailbox: Mailbox) -> None:
    Holder.objects.filter(identifier=RUT).update(email="camila.rojas@example.cl")
    for _ in range(20):
        squatter.ask_for_key(RUT, ANSWER)
    assert squatter.ask_for_key(RUT, ANSWER).shows("Ya enviamos muchos mensajes hoy")
    assert Visitor().ask_for_key(CAMILA, "Copito").shows("Su clave va en camino")


@pytest.mark.abuse(50)
def test_a_company_refused_for_a_false_representative_is_asked_about_anew(demo: None, mailbox: Mailbox) -> None:
    firms.register(Visitor("198.51.100.9"), email=SQUATTER_MAIL)
    Holder.objects.filter(identifier=COMPANY).update(verification="refused")
    company = Holder.objects.get(identifier=COMPANY)
    company.representatives.create(run="22222222-2", name="Quien no la representa")
    recover.by_card(company, OWNER_MAIL, RequestContext("203.0.113.7"), representative=RUT)
    company.refresh_from_db()
    assert company.verification == "unverified"
    assert list(company.representatives.values_list("run", flat=True)) == [RUT]
    assert Credential.objects.get(holder=company).hash == ""


@pytest.mark.abuse(71)
def test_a_key_that_holds_the_true_birth_date_is_counted_and_audited(demo: None) -> None:
    from clave.audit.models import Entry

    page = Visitor().register(new_key="QZ090999", new_key_again="QZ090999")
    assert page.status == 400
    assert Entry.objects.filter(action="holder.registered", outcome="policy").count() == 1


@pytest.mark.abuse(50)
def test_a_refused_company_reaches_no_facilitator(demo: None) -> None:
    Holder.objects.filter(identifier=firms.MADERAS).update(verification="refused")
    visitor = Visitor()
    visitor.open("/empresa/facilitador")
    assert visitor.send(rut=firms.MADERAS, representative=firms.DIEGO, key="MS204986").status == 400
