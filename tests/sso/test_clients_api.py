"""The management API: the same rules as in the back office, for programs."""

import json
from typing import Any

import pytest
from django.test import Client as HttpClient

from clave.audit.models import Entry
from clave.backoffice import api_tokens
from clave.backoffice.models import Operator
from clave.lib.request_context import SYSTEM
from clave.sandbox.courses import TOKEN
from clave.sso import clients
from clave.sso.models import Client
from tests.sso.application import Application, signed_in

NEW = {"name": "Aula Sur", "redirect_uris": ["https://sur.example.cl/volver"]}


class Program:
    """A program with a supervisor's token."""

    def __init__(self, token: str = "") -> None:
        boss = Operator.objects.get(email="supervisor@mesa.example.cl")
        self.token = token or api_tokens.issue(boss, "programa", SYSTEM)
        self.client = HttpClient(HTTP_AUTHORIZATION=f"Bearer {self.token}")

    def call(self, method: str, path: str = "clients", body: Any = None) -> tuple[int, Any]:
        text = "" if body is None else json.dumps(body)
        sent = {} if method == "get" else {"data": text, "content_type": "application/json"}
        answer = getattr(self.client, method)(f"/api/clients/v1/{path}", **sent)
        return answer.status_code, answer.json()


@pytest.fixture
def program(demo: None) -> Program:
    return Program()


def test_a_program_registers_changes_and_rotates(program: Program) -> None:
    status, made = program.call("post", body=NEW)
    client_id = made["client"]["client_id"]
    stored = Client.objects.get(client_id=client_id)
    assert status == 201 and clients.has_secret(stored, made["client_secret"])
    assert program.call("patch", f"clients/{client_id}", {"requires_dpop": True})[1]["requires_dpop"] is True
    told = program.call("get", f"clients/{client_id}")[1]
    assert told["name"] == "Aula Sur" and told["redirect_uris"] == NEW["redirect_uris"] and told["requires_dpop"]
    new = program.call("post", f"clients/{client_id}/secret", {})[1]["client_secret"]
    assert clients.has_secret(stored, new) and clients.has_secret(stored, made["client_secret"])
    assert program.call("post", f"clients/{client_id}/secret/end-former") == (200, {"ended": 1})
    assert [each["name"] for each in program.call("get", "clients?search=sur")[1]] == ["Aula Sur"]
    operators = Entry.objects.filter(action="sso.client_created").latest("pk").detail["operator"]
    assert operators == str(Operator.objects.get(email="supervisor@mesa.example.cl").pk)


def test_a_program_suspends_and_the_tokens_end(program: Program) -> None:
    app = Application()
    token = app.tokens(signed_in())["access_token"]
    assert program.call("post", f"clients/{app.client_id}/suspend")[1]["active"] is False
    assert app.userinfo(token).status_code == 401
    assert program.call("post", f"clients/{app.client_id}/resume")[1]["active"] is True


@pytest.mark.parametrize("token", ["x", TOKEN, "clave_op_" + "A" * 43])
def test_only_an_operators_live_token_gets_an_answer(demo: None, token: str) -> None:
    stranger = Program(token)
    for method, path in (("get", "clients"), ("post", "clients"), ("post", "clients/demo/suspend")):
        assert stranger.call(method, path, NEW if method == "post" else None)[0] == 401
    assert Client.objects.get(client_id="demo").active


def test_an_operators_token_is_none_of_a_training_bodys(program: Program) -> None:
    assert program.client.get("/api/v1/actions").status_code == 401


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (422, {"redirect_uris": []}),
        (422, {"redirect_uris": "https://sur.example.cl/volver"}),
        (422, {"requires_pkce": "no"}),
        (422, {"scopes": ["todo"]}),
        (422, {"client_id": "el-que-yo-quiero"}),
        (422, {"name": "Aula\x00"}),
        (400, {"redirect_uris": ["https://*.example.cl/"]}),
        (400, {"jwks": {"keys": "ninguna"}}),
        (400, {"sector": "dos palabras"}),
        (400, {"contact": "nadie"}),
    ],
)
def test_what_breaks_a_rule_is_refused_and_nothing_changes(
    program: Program, status: int, change: dict[str, Any]
) -> None:
    app = Application()
    for method, path, body in (("patch", f"clients/{app.client_id}", change), ("post", "clients", {**NEW, **change})):
        answered, told = program.call(method, path, body)
        assert answered == status and told["detail"], (method, told)
    assert Client.objects.count() == 3, "the demo's two and this one"
    assert Client.objects.get(client_id=app.client_id).redirect_uris == app.client.redirect_uris


def test_a_client_without_secret_is_given_none(program: Program) -> None:
    public = Application(kind="public")
    assert program.call("post", f"clients/{public.client_id}/secret", {})[0] == 409


def test_what_is_not_there_or_no_json_is_told(program: Program) -> None:
    assert program.call("get", "clients/nadie") == (404, {"detail": "no such client"})
    assert program.call("get", "nada")[0] == 404
    assert program.client.post("/api/clients/v1/clients", {"name": "x"}).status_code == 415
    document = program.client.get("/api/clients/v1/openapi.json").json()
    assert "/api/clients/v1/clients/{client_id}/secret" in document["paths"]
