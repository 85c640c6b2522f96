"""Every code of GlosaError, raised by what the manual says raises it, in both environments."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from clave.lib import clock as clave_clock
from clave.lib.clock import Stopped
from clave.sandbox.courses import OTEC, OTHER_OTEC, REVOKED_TOKEN
from clave.training import tokens
from clave.training.models import Otec, Token
from tests.wire.platform import CLOSED, FAIL, LINE_1, LINE_6, OPENED, Answer, Platform

UNKNOWN = "C1A7E000-0000-4000-8000-00000000FFFF"
CASES: list[tuple[int, dict[str, Any]]] = [
    (201, {"UrlRetoma": None}),
    (201, {"UrlRetoma": " "}),
    (202, {"UrlRetoma": "volver.php"}),
    (202, {"UrlRetoma": "javascript:alert(1)"}),
    (202, {"UrlRetoma": "https://a.cl/" + "x" * 200}),
    (200, {"RutOtec": None}),
    (200, {"RunAlumno": "   "}),
    (200, {"CodSence": ""}),
    (200, {"CodSence": None, "codsence": "1238000001"}),
    (200, {**LINE_1, "CodSence": None}),
    (200, {"IdSesionAlumno": None}),
    (209, {"RutOtec": "76543210-4"}),
    (209, {"RutOtec": "76.543.210-3"}),
    (303, {"Token": UNKNOWN}),
    (303, {"Token": "not a token"}),
    (211, {"RutOtec": OTHER_OTEC}),
    (212, {"RutOtec": OTHER_OTEC, "Token": REVOKED_TOKEN}),
    (206, {"LineaCapacitacion": "2"}),
    (206, {"LineaCapacitacion": "tres"}),
    (204, {"CodSence": "123800001"}),
    (204, {"CodSence": "12380000AB"}),
    (205, {"CodigoCurso": "670001"}),
    (205, {"CodigoCurso": "6" * 51}),
    (207, {"RunAlumno": "11111111-2"}),
    (207, {"RunAlumno": "11.111.111-1"}),
    (301, {"CodigoCurso": "9999999"}),
    (301, {"LineaCapacitacion": "6"}),
    (306, {"CodSence": "1238000002"}),
    (308, {"CodigoCurso": "6800001", "CodSence": "1238000009"}),
    (307, {"CodigoCurso": "6700004", "CodSence": "1238000002"}),
    (310, {"CodigoCurso": "6700002"}),
    (310, {"CodigoCurso": "6700005"}),
    (309, {"CodigoCurso": "6700003"}),
    (208, {"RunAlumno": "33333333-3"}),
    (208, {**LINE_6, "RunAlumno": "22222222-2"}),
]


@pytest.fixture(params=["rce", "rcetest"])
def platform(request: pytest.FixtureRequest, demo: None) -> Platform:
    return Platform(environment=request.param)


@pytest.mark.parametrize(("code", "changes"), CASES, ids=[f"{code}-{i}" for i, (code, _) in enumerate(CASES)])
@pytest.mark.parametrize("endpoint", ["IniciarSesion", "CerrarSesion"])
def test_what_needs_no_identity_is_answered_at_once(
    platform: Platform, endpoint: str, code: int, changes: dict[str, Any]
) -> None:
    closing = {"IdSesionSence": "0" * 32} if endpoint == "CerrarSesion" else {}
    answer = platform.ask(endpoint, **closing, **changes)
    assert (answer.verdict, answer.url, answer.at_once) == (f"error {code}", FAIL, True)
    assert answer.names == [*(CLOSED if closing else OPENED), "GlosaError"]
    assert answer.fields["RunAlumno"] == changes.get("RunAlumno", "11111111-1")
    assert closing or answer.fields["IdSesionSence"] == ""


@pytest.mark.parametrize(
    ("code", "url"), [(201, None), (201, ""), (203, "error.php"), (203, "ftp://a.cl/x"), (203, "https://a@b.cl/")]
)
def test_with_nowhere_to_answer_to_a_page_tells_the_code(platform: Platform, code: int, url: str | None) -> None:
    page = platform.post("IniciarSesion", UrlError=url)
    assert page.status == 400 and page.shows("No pudimos volver a su curso", str(code))
    assert "<form" not in page.html


def test_a_suspended_body_cannot_be_validated(platform: Platform) -> None:
    Otec.objects.update(active=False)
    assert platform.ask("IniciarSesion").verdict == "error 302"


@pytest.mark.abuse(24)
@pytest.mark.parametrize(
    ("code", "changes"),
    [(211, {"RutOtec": OTHER_OTEC}), (308, {"CodigoCurso": "6800001", "CodSence": "1238000009"})],
)
def test_a_body_marks_only_for_itself(platform: Platform, code: int, changes: dict[str, Any]) -> None:
    assert platform.ask("IniciarSesion", **changes).verdict == f"error {code}"


@pytest.mark.abuse(29)
def test_a_token_read_from_a_page_dies_when_it_is_revoked(platform: Platform, clock: Stopped) -> None:
    token = Token.objects.get(otec__rut=OTEC)
    token.expires_at = clave_clock.now() + timedelta(minutes=1)
    token.save()
    assert platform.post("IniciarSesion").shows("Escriba su Clave SENCE")
    token.refresh_from_db()
    assert token.last_used_at == clave_clock.now()
    clock.move(minutes=2)
    assert platform.ask("IniciarSesion").verdict == "error 212"
    Token.objects.update(expires_at=None)
    platform.post("IniciarSesion")
    tokens.revoke(token)
    assert Answer(platform.sign()).verdict == "error 212", "also for who was just signing in"
    assert platform.ask("IniciarSesion").verdict == "error 212"


def test_several_codes_are_joined_only_when_the_setting_says_so(platform: Platform, settings: Any) -> None:
    wrong = {"RutOtec": "76543210-4", "CodSence": "1", "RunAlumno": "1-1"}
    assert platform.ask("IniciarSesion", **wrong).fields["GlosaError"] == "209"
    settings.RCE_ALL_CODES = True
    assert platform.ask("IniciarSesion", **wrong).fields["GlosaError"].startswith("209;211;204;207;")


def test_a_store_that_fails_gives_300_before_the_sign_in_and_305_after(committed: None, django_db_blocker: Any) -> None:
    platform = Platform()
    platform.post("IniciarSesion")
    with broken("attendance_sessionstart"):
        assert Answer(platform.sign()).verdict == "error 305"
    with broken("training_enrolment"):
        assert platform.ask("IniciarSesion").verdict == "error 300"
    assert platform.open().verdict == "opened"


@contextmanager
def broken(table: str) -> Iterator[None]:
    """Take a table away for a while."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")
