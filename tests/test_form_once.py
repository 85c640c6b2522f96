"""A form completes itself: what it does and its outcome are one transaction, and nothing slow happens inside it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from clave.audit.models import Entry
from clave.credentials import hashing
from clave.credentials.models import Attempts
from clave.holders.models import Holder
from clave.registries import base
from clave.selfservice.models import Waiting
from clave.selfservice.recover import service as recover
from clave.selfservice.register import service as register
from clave.web import idempotency
from clave.web.models import Submission
from tests.story import REGISTRATION, Mailbox, Visitor

CAMILA, KEY, NOBODY = "11111111-1", "KM482915", "44444444-4"


def taken_over(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a use case during which another post of the same form takes its claim over."""

    def late(*given: Any) -> Any:
        outcome = real(*given)
        Submission.objects.filter(kind="").update(claim="another post")
        return outcome

    return late


def test_a_form_whose_claim_was_taken_over_meanwhile_leaves_nothing_behind(
    visitor: Visitor, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.open("/persona/registrarse")
    form = visitor.fill(**REGISTRATION)
    monkeypatch.setattr(register, "create", taken_over(register.create))
    page = visitor.post("/persona/registrarse", form)
    assert page.status == 503 and page.shows("Seguimos trabajando en su solicitud")
    assert not Holder.objects.filter(identifier=NOBODY).exists() and mailbox.all() == []


def test_a_step_that_was_undone_can_be_taken_again(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    from clave.sandbox import services

    services.set_behaviour("registro_civil", "down")
    visitor.open("/persona/recuperar")
    visitor.send(rut=CAMILA)
    visitor.send(forgotten="on")
    visitor.send(serial="123456789")
    step, real = visitor.page.url.replace("cedula", "aviso"), recover.tell_when_back
    visitor.open(step)
    monkeypatch.setattr(recover, "tell_when_back", taken_over(real))
    assert visitor.send(email="camila@example.cl").status == 503 and not Waiting.objects.exists()
    monkeypatch.setattr(recover, "tell_when_back", real)
    visitor.open(step)
    assert visitor.send(email="camila@example.cl").shows("le escribiremos") and Waiting.objects.count() == 1


def test_a_crash_after_the_outcome_was_stored_leaves_neither(
    visitor: Visitor, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.client.raise_request_exception = False
    visitor.open("/persona/registrarse")
    form, real = visitor.fill(**REGISTRATION), idempotency.finish

    def crash(*given: Any) -> None:
        real(*given)
        raise RuntimeError

    monkeypatch.setattr(idempotency, "finish", crash)
    assert visitor.post("/persona/registrarse", form).status == 500
    assert not Holder.objects.filter(identifier=NOBODY).exists() and not Submission.objects.exists()
    monkeypatch.setattr(idempotency, "finish", real)
    assert visitor.register().shows("Su cuenta fue creada")


def test_who_was_quicker_is_audited_though_the_registration_is_undone(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(*_given: Any) -> None:
        raise register.already_registered()

    monkeypatch.setattr(register, "create", too_late)
    assert visitor.register().shows("Esta cuenta ya tiene Clave SENCE")
    assert Entry.objects.filter(action="holder.registered", outcome="already_registered").count() == 1


def test_no_registry_is_asked_and_no_key_tried_while_a_forms_transaction_is_open(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite a write lock held while a registry thinks would stop everybody."""
    inside: dict[str, list[bool]] = {"registry": [], "key": []}

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            inside[name].append(connection.in_atomic_block)
            return real(*given, **named)

        return called

    monkeypatch.setattr(base.Registry, "call", watched("registry", base.Registry.call))
    monkeypatch.setattr(hashing, "matches", watched("key", hashing.matches))
    visitor = Visitor("203.0.113.7")
    assert visitor.register().shows("Su cuenta fue creada")
    visitor.ask_for_key(CAMILA, "no lo sé")
    visitor.open("/persona/actualizar")
    visitor.send(rut=CAMILA, key=KEY)
    assert inside["registry"] and inside["key"] and not any(inside["registry"] + inside["key"])
    assert Attempts.objects.filter(count=1).exists(), "the wrong answer stays counted"
