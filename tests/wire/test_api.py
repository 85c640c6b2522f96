"""What a training body's own server can do and prove without a browser."""

import json
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from clave.lib.clock import Stopped
from clave.rce.receipts import FIELD
from clave.sandbox.courses import CAMILA, OTEC, REVOKED_TOKEN, TOKEN
from clave.training import tokens
from clave.training.models import Enrolment, Otec
from tests import factories
from tests.wire.platform import CLOSED, GOOD, OPENED, Platform

NEW = {
    "CodSence": "1238000001",
    "Linea": 3,
    "Nombre": "Curso",
    "Horas": 20,
    "Inicio": "2026-11-01",
    "Termino": "2026-12-31",
}


class Server:
    """A platform's server."""

    def __init__(self, token: str = TOKEN) -> None:
        self.client = Client(HTTP_AUTHORIZATION=f"Bearer {token}")

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(self.client, method)(f"/api/v1/{path}", **sent)
        return answer.status_code, answer.json() if "json" in answer["Content-Type"] else answer.content


@pytest.mark.parametrize("token", ["", "x", REVOKED_TOKEN, TOKEN[:-1] + "9"])
def test_only_a_live_token_gets_an_answer(demo: None, token: str) -> None:
    stranger = Server(token)
    for method, path in (("get", "actions"), ("get", "sessions/x"), ("post", "review"), ("put", "actions/6700001")):
        assert stranger.call(method, path, {} if method != "get" else None)[0] == 401
    Otec.objects.update(active=False)
    assert Server().call("get", "actions")[0] == 401


def test_an_action_is_made_changed_and_filled(server: Server) -> None:
    assert server.call("put", "actions/7000001", NEW)[1]["Estado"] == "vigente"
    assert server.call("put", "actions/7000001", {**NEW, "Horas": 30})[1]["Horas"] == 30
    assert server.call("post", "actions/7000001/enrolments", {"runs": ["11.111.111-1", "22222222-2"]}) == (
        200,
        {"changed": 2},
    )
    assert server.call("post", "actions/7000001/enrolments", {"runs": ["33333333-3", "1-1"]})[0] == 400
    assert set(Enrolment.objects.filter(action__code="7000001").values_list("run", flat=True)) == {CAMILA, "22222222-2"}
    assert server.call("post", "actions/7000001/enrolments/remove", {"runs": ["22.222.222-2"]}) == (
        200,
        {"changed": 1},
    )
    assert "7000001" in [action["CodigoCurso"] for action in server.call("get", "actions")[1]]
    assert Platform().open(CodigoCurso="7000001").verdict == "opened"
    assert Platform().ask("IniciarSesion", CodigoCurso="7000001", RunAlumno="22222222-2").verdict == "error 208"


@pytest.mark.abuse(24)
def test_a_body_sees_and_changes_only_its_own(server: Server) -> None:
    status, problem = server.call("put", "actions/6800001", NEW)
    assert status == 400 and "otro organismo" in problem["detail"]
    assert server.call("get", "actions/6800001/attendance")[0] == 404
    for path in ("actions/6800001/enrolments", "actions/6800001/enrolments/remove"):
        assert server.call("post", path, {"runs": [CAMILA]})[0] == 404
    assert server.call("put", "actions/7000001", {**NEW, "Linea": 9})[0] == 422


@pytest.mark.abuse(25)
def test_a_session_can_be_asked_about_behind_the_learners_back(server: Server, clock: Stopped) -> None:
    platform = Platform()
    session = platform.open().fields["IdSesionSence"]
    status, seen = server.call("get", f"sessions/{session}")
    assert status == 200 and (seen["state"], seen["run"], seen["action"], seen["seconds"]) == (
        "open",
        CAMILA,
        "6700001",
        0,
    )
    clock.move(minutes=40)
    platform.close(session)
    seen = server.call("get", f"sessions/{session}")[1]
    assert (seen["state"], seen["seconds"]) == ("closed", 2400)
    assert server.call("get", "actions/6700001/attendance")[1][0] == {
        "run": CAMILA,
        "seconds": 2400,
        "percent": 1,
        "sessions": 1,
    }
    assert server.call("get", "sessions/" + "0" * 32)[0] == 404


@pytest.mark.abuse(74)
def test_no_address_of_the_api_takes_a_run(server: Server) -> None:
    paths = server.call("get", "openapi.json")[1]["paths"]
    parameters = {
        each["name"] for path in paths.values() for each in chain(*(m.get("parameters", []) for m in path.values()))
    }
    assert parameters == {"code", "session"}
    assert server.call("delete", f"actions/6700001/enrolments/{CAMILA}")[0] == 404
    assert Enrolment.objects.get(action__code="6700001", run=CAMILA).removed_at is None


@pytest.mark.abuse(72)
def test_a_block_shows_nothing_of_another_bodys_course(server: Server, clock: Stopped) -> None:
    factories.enrolment(CAMILA, "6800001")
    asked = {name: GOOD[name] for name in ("CodSence", "LineaCapacitacion", "RunAlumno", "IdSesionAlumno", "UrlRetoma", "UrlError")}  # fmt: skip
    pages = []
    for code in ("6800001", "9999999"):
        url = server.call("post", "blocks", {**asked, "CodigoCurso": code})[1]["url"]
        pages.append(Client().get(urlsplit(url).path))
    assert [page.context["course"] for page in pages] == [None, None]


def test_a_block_ends_with_its_token(server: Server) -> None:
    asked = {name: GOOD[name] for name in ("CodigoCurso", "CodSence", "LineaCapacitacion", "RunAlumno", "IdSesionAlumno", "UrlRetoma", "UrlError")}  # fmt: skip
    path = urlsplit(server.call("post", "blocks", asked)[1]["url"]).path
    assert Client().get(path).status_code == 200
    token = tokens.find(TOKEN)
    assert token
    tokens.revoke(token)
    assert Client().get(path).status_code == 404


@pytest.mark.abuse(25)
def test_a_receipt_proves_the_mark_and_a_forged_one_does_not(demo: None, clock: Stopped) -> None:
    platform = Platform()
    opened = platform.open()
    assert opened.names == OPENED, "nothing more for a body that asked for nothing"
    Otec.objects.update(receipts=True)
    clock.move(minutes=25)
    closed = platform.close(opened.fields["IdSesionSence"])
    assert closed.names == [*CLOSED, FIELD]
    keys = KeySet.import_key_set(Client().get("/api/v1/keys").json())
    signed = jws.deserialize_compact(closed.fields[FIELD], keys, algorithms=["ES256"])
    claims = json.loads(signed.payload)
    assert (claims["event"], claims["run"], claims["action"], claims["seconds"], claims["aud"]) == (
        "closed",
        CAMILA,
        "6700001",
        1500,
        OTEC,
    )
    assert claims["session"] == opened.fields["IdSesionSence"] and claims["environment"] == "rce"
    head, payload, signature = closed.fields[FIELD].split(".")
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(f"{head}.{payload[:-4]}AAAA.{signature}", keys, algorithms=["ES256"])
    test = Platform(environment="rcetest").open()
    assert (
        json.loads(jws.deserialize_compact(test.fields[FIELD], keys, algorithms=["ES256"]).payload)["environment"]
        == "rcetest"
    )


def test_the_api_describes_itself(server: Server) -> None:
    status, description = server.call("get", "openapi.json")
    assert status == 200 and description["openapi"].startswith("3") and len(description["paths"]) >= 7
    assert server.call("get", "nothing/here")[0] == 404


@given(
    path=st.sampled_from(["actions/7000001", "actions/6700001/enrolments", "review"]),
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NEW, "runs"]), inner, max_size=8),
        max_leaves=10,
    ),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_gets_a_clear_answer(server: Server, path: str, body: Any) -> None:
    status, _answer = server.call("put" if path == "actions/7000001" else "post", path, body)
    assert status in (200, 400, 415, 422), "415: without a body the test client calls it a form"


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"", b"[" * 100_000])
def test_broken_json_is_no_fault(server: Server, raw: bytes) -> None:
    answer = server.client.post("/api/v1/review", raw, content_type="application/json")
    assert 400 <= answer.status_code < 500
