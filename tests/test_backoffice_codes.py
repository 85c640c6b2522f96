"""Codes, invitations and passkey answers of any shape: refused alike, whether the password was right or not."""

import json
from typing import Any

import pytest

from clave.audit.models import Entry
from clave.backoffice import operator_accounts
from clave.backoffice.models import Operator, Passkey
from clave.credentials import hashing
from clave.credentials.models import Attempts
from clave.lib import clock as clave_clock
from clave.lib.request_context import RequestContext
from clave.sandbox.people import OPERATOR_PASSWORD
from tests.desk import Desk
from tests.story import Visitor

AGENT = "agente@mesa.example.cl"
NO_CODES = ["ñ", "12345ñ", "١٢٣٤٥٦", "123456", "12345", "1234567", "-12345", "1" * 300, "1e5000", "<b>", "😀", "½½½½½½"]
WHERE = RequestContext("203.0.113.50")


def answer_to(code: str, password: str) -> tuple[int, str]:
    """Return status and text of what signing in with this code says, to somebody who has failed nowhere before."""
    stranger = Visitor(f"198.51.100.{abs(hash((code, password))) % 200}")
    Attempts.objects.all().delete()
    stranger.open("/backoffice/ingresar")
    page = stranger.send(email=AGENT, password=password, code=code)
    return page.status, page.text


@pytest.mark.abuse(67)
@pytest.mark.parametrize("code", NO_CODES)
def test_a_code_that_is_no_code_is_refused_alike_whether_the_password_was_right_or_not(demo: None, code: str) -> None:
    right, wrong = answer_to(code, OPERATOR_PASSWORD), answer_to(code, "no es la clave")
    assert right == wrong == answer_to("000000", "no es la clave")
    assert right[0] == 400 and "El correo, la clave o el código no son correctos" in right[1]


@pytest.mark.abuse(67)
@pytest.mark.parametrize("email", [AGENT, "nadie@mesa.example.cl"])
@pytest.mark.parametrize("password", [OPERATOR_PASSWORD, "no es la clave"])
@pytest.mark.parametrize("code", ["ñ", "000000", "1"])
def test_every_try_costs_one_hash(
    demo: None, monkeypatch: pytest.MonkeyPatch, email: str, password: str, code: str
) -> None:
    hashed = []
    real = hashing.matches

    def matches(stored: str | None, secret: str) -> bool:
        hashed.append(1)
        return real(stored, secret)

    monkeypatch.setattr(hashing, "matches", matches)
    with pytest.raises(operator_accounts.NotAuthorised):
        operator_accounts.sign_in(email, password, code, WHERE)
    assert len(hashed) == 1
    assert Entry.objects.get(action="operator.signin").outcome == "not_authorised"


def test_spaces_in_a_code_are_no_mistake(demo: None) -> None:
    desk = Desk()
    code = desk.code()
    desk.client.cookies.clear()
    assert desk.enter(code=f" {code[:3]} {code[3:]} ").url == "/backoffice/"


@pytest.mark.abuse(67)
@pytest.mark.parametrize("code", NO_CODES)
def test_the_code_that_ends_an_invitation_is_judged_by_the_same_shape(demo: None, code: str) -> None:
    invitation = operator_accounts.invite("jefa@mesa.example.cl", "Jefa", "supervisor", None, WHERE)
    operator = operator_accounts.accept_invitation("jefa@mesa.example.cl", invitation, "arboles sobre la colina", WHERE)
    with pytest.raises(operator_accounts.NotAuthorised):
        operator_accounts.confirm(operator, code, WHERE)
    assert Operator.objects.get(pk=operator.pk).invitation, "still to be confirmed"


@pytest.mark.abuse(67)
@pytest.mark.parametrize("code", [*NO_CODES, "ABCDEFGH2345"])
def test_an_invitation_code_of_any_shape_gets_one_clear_message(demo: None, code: str) -> None:
    visitor = Visitor()
    visitor.open("/backoffice/invitacion")
    typed = {"password": "arboles sobre la colina", "again": "arboles sobre la colina"}
    page = visitor.send(email=AGENT, code=code, **typed)
    assert page.status == 400 and page.shows("El correo o el código de invitación no sirven")


JSON: list[Any] = [None, 5, [], {}, "x", {"id": 5}, {"id": "A" * 400}, {"id": "\0"}, {"id": "ñ"}, {"id": "\ud800"}]
RESPONSES: list[Any] = [None, 5, [], {}, {"clientDataJSON": "ñ", "attestationObject": 5, "authenticatorData": []}]
JSON += [
    {"id": "knownkey", "rawId": raw, "type": "public-key", "response": response}
    for raw in ("knownkey", 5, "ñ", None)
    for response in RESPONSES
]
ANSWERS = [json.dumps(each) for each in JSON] + ["", "{", "[" * 8000, '{"id":' * 1000, "9" * 7000, "ñ"]


@pytest.mark.abuse(67)
@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_a_passkey_answer_that_is_none_is_refused(demo: None, answer: str) -> None:
    operator = Operator.objects.get(email=AGENT)
    now = clave_clock.now()
    Passkey.objects.create(operator=operator, credential="knownkey", public_key="AAAA", label="x", created_at=now)
    visitor = Visitor()
    visitor.open("/backoffice/ingresar")
    token = {"csrfmiddlewaretoken": visitor.client.cookies["csrftoken"].value}
    page = visitor.post("/backoffice/ingresar/llave", {**token, "answer": answer})
    assert page.status == 400 and page.url.startswith("/backoffice/ingresar")
    desk = Desk()
    desk.open("/backoffice/mi-acceso")
    Operator.objects.update(totp_step=0)
    assert desk.send(label="Mi teléfono", answer=answer, code=desk.code()).status == 400
    assert Passkey.objects.count() == 1
