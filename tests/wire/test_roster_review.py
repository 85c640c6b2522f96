"""A roster reviewed before day one: what an OTEC may learn of its participants."""

import json
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clave.audit.models import Entry
from clave.holders.models import Holder
from clave.lib.clock import Stopped
from clave.lib.request_context import SYSTEM
from clave.lib.rut import Rut, check_digit
from clave.privacy.retention import purge_expired
from clave.rce import preflight
from clave.sandbox.courses import CAMILA, OTEC
from clave.training.models import AccountLookup, Enrolment, Otec
from tests import factories
from tests.story import Visitor
from tests.wire.platform import GOOD, KEYS
from tests.wire.test_api import Server


def test_a_roster_is_reviewed_by_a_program(server: Server) -> None:
    asked = {
        name: GOOD[name] for name in ("CodigoCurso", "CodSence", "LineaCapacitacion", "UrlRetoma", "UrlError", "Token")
    }
    found = server.call("post", "review", {**asked, "runs": [CAMILA, "33333333-3", "x"]})[1]
    assert [(each["run"], each["codes"], each["ready"]) for each in found] == [
        (CAMILA, [], True),
        ("33333333-3", [208], False),
        ("x", [207], False),
    ]


def roster(**changes: Any) -> dict[str, Any]:
    names = ("CodigoCurso", "CodSence", "LineaCapacitacion", "UrlRetoma", "UrlError", "Token")
    return {**{name: GOOD[name] for name in names}, "runs": [CAMILA], **changes}


def keys_told(server: Server, **changes: Any) -> dict[str, bool | None]:
    status, found = server.call("post", "review", roster(**changes))
    assert status == 200, found
    return {each["run"]: each["has_key"] for each in found}


@pytest.mark.abuse(72)
def test_a_body_learns_only_of_its_own_participants_whether_they_have_a_clave(server: Server) -> None:
    stranger = Holder.objects.get(identifier="33333333-3", profile="PN")
    assert stranger.credential and not Enrolment.objects.filter(run=stranger.identifier).exists()
    asked = [CAMILA, "22222222-2", stranger.identifier, "44444444-4", "x"]
    told = {CAMILA: True, "22222222-2": True, stranger.identifier: None, "44444444-4": None, "x": None}
    assert keys_told(server, runs=asked) == told
    factories.enrolment(stranger.identifier, "6800001")
    assert keys_told(server, runs=asked) == told, "enrolled with another body"
    assert keys_told(server, runs=asked, CodigoCurso="6800001") == told, "whatever the action that is asked for"
    server.call("post", "actions/6700001/enrolments", {"runs": [stranger.identifier, "44444444-4"]})
    assert keys_told(server, runs=asked) == {**told, stranger.identifier: True, "44444444-4": False}
    server.call("post", "actions/6700001/enrolments/remove", {"runs": [stranger.identifier, "44444444-4"]})
    assert keys_told(server, runs=asked) == told, "who was taken out is a stranger again"


@pytest.mark.abuse(72)
def test_the_page_tells_no_more_than_the_program(demo: None) -> None:
    otec = Visitor()
    otec.open("/rts")
    otec.send(rut=OTEC, representative="33333333-3", key="CA739105")
    otec.open("/rts/revisar")
    page = otec.send(**roster(runs=f"{CAMILA}\n33333333-3"))
    assert page.shows("1 de 2 participantes pueden empezar", "33333333-3", "No está entre sus inscritos")
    assert "Todavía no tiene" not in page.text
    entry = Entry.objects.filter(action="roster.reviewed").get()
    assert entry.detail == {"otec": Otec.objects.get(rut=OTEC).pk, "runs": 2, "told": 1}


@pytest.mark.abuse(72)
def test_with_every_code_asked_for_another_bodys_roster_stays_its_own(server: Server, settings_all_codes: None) -> None:
    foreign = roster(CodigoCurso="6800001", runs=[CAMILA, "22222222-2"])
    factories.enrolment(CAMILA, "6800001")
    Enrolment.objects.filter(action__code="6800001", run="22222222-2").delete()
    first, second = server.call("post", "review", foreign)[1]
    assert 308 in first["codes"] and first["codes"] == second["codes"]


@pytest.fixture
def settings_all_codes(settings: Any) -> None:
    settings.RCE_ALL_CODES = True


@pytest.mark.abuse(72)
def test_how_many_may_be_asked_about_is_limited_and_comes_back_with_time(server: Server, clock: Stopped) -> None:
    runs = [str(number) for number in range(2000)]
    for _ in range(preflight.BURST // 2000):
        assert server.call("post", "review", roster(runs=runs))[0] == 200
    answer = server.client.post("/api/v1/review", json.dumps(roster(runs=runs)), content_type="application/json")
    assert answer.status_code == 429 and int(answer["Retry-After"]) == 3600 * 2000 // preflight.PER_HOUR
    assert "Podrá revisar esta lista desde las" in answer.json()["detail"]
    assert server.call("post", "review", roster())[0] == 429
    clock.move(seconds=int(answer["Retry-After"]))
    assert server.call("post", "review", roster(runs=runs))[0] == 200
    assert server.call("post", "review", roster())[0] == 429
    assert Entry.objects.filter(action="roster.reviewed").count() == preflight.BURST // 2000 + 1, "one entry a roster"


@pytest.mark.abuse(72)
def test_who_was_asked_about_can_see_it_until_it_is_too_old(server: Server, clock: Stopped) -> None:
    for _ in range(3):
        keys_told(server, runs=[CAMILA, "33333333-3"])
    camila = Visitor()
    camila.sign_in(CAMILA, KEYS[CAMILA])
    page = camila.open("/mi-cuenta/mis-datos")
    assert page.shows("Capacita Austral SpA", "Preguntó si usted tiene Clave SENCE")
    assert page.text.count("Preguntó si usted") == 1, "once a day"
    assert AccountLookup.objects.count() == 1, "nothing is kept about who is not enrolled"
    clock.move(days=django_settings.RETENTION_DAYS["operator_actions"] + 1)
    assert purge_expired()["lookups"] == 1 and not AccountLookup.objects.exists()


def test_a_roster_of_a_class_costs_as_many_queries_as_one_of_two(server: Server) -> None:
    for runs in ([CAMILA], [str(Rut(number, check_digit(number))) for number in range(5_000_000, 5_001_000)]):
        server.call("post", "actions/6700001/enrolments", {"runs": runs})
    body = Otec.objects.get(rut=OTEC)
    counts = []
    for runs in ([CAMILA, "5000000-9"], [each.run for each in Enrolment.objects.filter(action__code="6700001")]):
        with CaptureQueriesContext(connection) as queries:
            preflight.review(body, roster(), runs, SYSTEM)
        counts.append(len(queries))
    assert counts[0] == counts[1], counts
