"""Confirmations at the same moment: exactly one counts."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from clave.audit.models import Entry
from clave.backoffice import operator_changes, service
from clave.backoffice.models import Operator, OperatorAction, Proposal
from clave.backoffice.service import Why
from clave.lib.request_context import SYSTEM
from clave.notifications.models import Message
from clave.selfservice.confirmations import contact_change, question_renewal
from clave.selfservice.models import ContactChange, QuestionRenewal
from tests.contact import NEW_MAIL, STRANGERS, company
from tests.firms import ROSA
from tests.test_races import at_once


@pytest.mark.abuse(61, 65)
def test_of_many_confirmations_at_once_one_counts(committed: None) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    agent, boss = (Operator.objects.get(email=f"{name}@mesa.example.cl") for name in ("agente", "supervisor"))
    why, holder = Why("call", "caso 1"), company()
    service.propose_contact(agent, holder, {"email": NEW_MAIL, "work_phone": ""}, why, SYSTEM)
    change = contact_change.waiting().select_related("holder").get()
    ways: list[Callable[[], object]] = [
        lambda: service.confirm_contact(boss, change, why, SYSTEM),
        lambda: contact_change.confirm(change, "link", SYSTEM),
        lambda: contact_change.confirm(change, "card", SYSTEM, representative=ROSA),
        lambda: contact_change.refuse(change, "link", SYSTEM),
        lambda: service.confirm_contact(agent, change, why, SYSTEM),
    ]
    results = at_once([ways[number % len(ways)] for number in range(tries)])
    refused = [each for each in results if isinstance(each, (contact_change.NoLongerWaiting, service.NeedsAnother))]
    assert len(results) - len(refused) == 1, results
    assert ContactChange.objects.get().decided_at and Entry.objects.filter(action__startswith="contact.").count() == 1


@pytest.mark.abuse(65)
def test_an_operators_proposal_and_key_at_once_do_not_miss_each_other(committed: None) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    agent, why, holder = Operator.objects.get(email="agente@mesa.example.cl"), Why("call", "caso 1"), company()
    data = {"email": STRANGERS, "work_phone": ""}
    ways: list[Callable[[], object]] = [
        lambda: service.propose_contact(agent, holder, data, why, SYSTEM),
        lambda: service.send_key(agent, holder, why, SYSTEM),
        lambda: service.start_question(agent, holder, why, SYSTEM),
    ]
    results = at_once([ways[number % len(ways)] for number in range(tries)])
    assert not [each for each in results if isinstance(each, Exception) and not hasattr(each, "code")], results
    kinds = set(OperatorAction.objects.filter(operator=agent).values_list("kind", flat=True))
    assert kinds and not ("contact" in kinds and kinds & {"key_sent", "question"}), kinds


@pytest.mark.abuse(61)
def test_of_many_answers_by_one_link_at_once_one_counts(committed: None) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    agent = Operator.objects.get(email="agente@mesa.example.cl")
    service.start_question(agent, company(), Why("call", "caso 1"), SYSTEM)
    renewal, holder = QuestionRenewal.objects.get(), company()
    results = at_once(
        [
            partial(question_renewal.renew, holder, "mascota", f"Canelo {n}", SYSTEM, renewal=renewal.pk)
            for n in range(tries)
        ]
    )
    assert sum(isinstance(each, question_renewal.QuestionRenewed) for each in results) == 1, results
    assert sum(isinstance(each, contact_change.NoLongerWaiting) for each in results) == tries - 1


@pytest.mark.abuse(65)
def test_of_many_supervisors_windows_at_once_one_invites(committed: None) -> None:
    tries = 100 if connection.vendor == "postgresql" else 20
    boss, second = (Operator.objects.get(email=f"{name}@mesa.example.cl") for name in ("supervisor", "supervisor2"))
    proposal = operator_changes.propose_invitation("nueva@mesa.example.cl", "Nueva", "agente", boss, SYSTEM)
    results = at_once(
        [partial(operator_changes.confirm, proposal, second if number % 2 else boss, SYSTEM) for number in range(tries)]
    )
    assert results.count(None) == 1, results
    assert Message.objects.filter(template="operator_invited").count() == 1
    decided = Proposal.objects.get()
    assert decided.decided_at and decided.decided_at - decided.created_at < timedelta(minutes=5)
