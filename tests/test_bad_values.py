"""Numbers, dates and texts from outside, wherever they come in: refused clearly or read rightly, never a fault."""

import json
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from clave.lib import clock
from clave.sandbox.courses import CAMILA, OTEC, TOKEN
from clave.statements import service
from clave.training import course_import
from clave.training.models import Action, ImportJob, Otec, Stage
from clave.training.tasks import work_on_imports
from tests.desk import Desk
from tests.story import Visitor
from tests.test_bad_input import FORM, FORMS, is_a_page

pytestmark = pytest.mark.slow

HUGE = [0, 2**31, 2**63 - 1, 2**63, 2**64, 10**40]
ODD_TEXTS = ["\0", "a\0b", "\ud800", "a\udfff", "\ufffe", "\u202e", "x" * 5000, "'", "%00", "\\", "\n"]
API_BODIES: dict[str, dict[str, Any]] = {
    "put actions/7000001": {"CodSence": "1238000001", "Linea": 3, "Nombre": "Curso", "Modalidad": "e-learning", "Horas": 20, "Inicio": "2026-11-01", "Termino": "2026-12-31"},
    "post actions/6700001/enrolments": {"runs": [CAMILA]},
    "post actions/6700001/enrolments/remove": {"runs": [CAMILA]},
    "post review": {"runs": [CAMILA], "CodigoCurso": "6700001", "CodSence": "1238000001", "LineaCapacitacion": "3", "UrlRetoma": "https://a.cl/", "UrlError": "https://a.cl/", "Token": TOKEN},
    "post blocks": {"CodigoCurso": "6700001", "CodSence": "1238000001", "LineaCapacitacion": "3", "RunAlumno": CAMILA, "IdSesionAlumno": "x", "UrlRetoma": "https://a.cl/", "UrlError": "https://a.cl/"},
}  # fmt: skip


def call(which: str, body: Any) -> Any:
    method, path = which.split()
    client = Client(HTTP_AUTHORIZATION=f"Bearer {TOKEN}", raise_request_exception=False)
    return getattr(client, method)(f"/api/v1/{path}", json.dumps(body), content_type="application/json")


@pytest.mark.abuse(78)
@pytest.mark.parametrize("which", API_BODIES)
def test_strange_values_in_each_field_of_the_api_are_refused_clearly(demo: None, which: str) -> None:
    good = API_BODIES[which]
    assert call(which, good).status_code == 200
    values: list[Any] = [*ODD_TEXTS, *HUGE, -1, 1.5, True, None, [], {}, [[]], 1e300, "0001-01-01", "9999-12-31", "1"]
    for field in good:
        for value in values:
            sent = [value] if field == "runs" and not isinstance(value, list) else value
            answer = call(which, {**good, field: sent})
            assert answer.status_code in (200, 400, 422), (field, value, answer.status_code)
            assert answer.status_code == 200 or answer.json()["detail"], (field, value)
            if isinstance(value, str) and any(char in value for char in "\0\ud800\udfff\n"):
                assert answer.status_code == 422, (field, value)


@pytest.mark.abuse(78)
@pytest.mark.parametrize("year", ["0001", "1899", "1989", "2100", "9999"])
def test_years_that_cannot_be_are_refused_for_actions(demo: None, year: str) -> None:
    good = API_BODIES["put actions/7000001"]
    for dates in ({"Inicio": f"{year}-01-01"}, {"Termino": f"{year}-12-31"}, {"Inicio": f"{year}-01-01", "Termino": f"{year}-12-31"}):  # fmt: skip
        answer = call("put actions/7000001", {**good, **dates})
        assert answer.status_code == 400 and "1990 y 2099" in answer.json()["detail"], dates
    assert not Action.objects.filter(code="7000001").exists()


@pytest.mark.abuse(78)
@pytest.mark.parametrize(
    ("birth", "words"),
    [("01-01-0001", "1900 o posterior"), ("31-12-1899", "1900 o posterior"), ("31-12-9999", "futuro"), ("31-02-2000", "día-mes-año"), ("00-00-0000", "día-mes-año"), ("٠١-٠١-٢٠٠٠", "día-mes-año")],
)  # fmt: skip
def test_birth_dates_that_cannot_be_are_said_beside_the_field(visitor: Visitor, birth: str, words: str) -> None:
    visitor.open("/persona/actualizar/fecha-y-correo")
    page = visitor.send(rut=CAMILA, birth_date=birth, email="camila.rojas@example.cl")
    if birth.isascii():
        assert page.status == 400 and page.shows(words) and page.fields["birth_date"] == birth
    else:
        assert page.status < 500


def imported(content: bytes) -> ImportJob:
    bring = ImportJob.objects.create(id="0" * 32, otec=Otec.objects.get(rut=OTEC), name="x.csv", content=content, created_at=clock.now())  # fmt: skip
    work_on_imports.call()
    bring.refresh_from_db()
    return bring


@pytest.mark.abuse(78)
@pytest.mark.parametrize("cell", ["a\0b", "\x1b[31m", "\u202e", "x" * 200, "01-01-0001", "31-12-9999", "9" * 400, "-1"])
def test_strange_cells_of_an_import_are_named_and_stop_nobody(demo: None, cell: str) -> None:
    row = dict(zip(course_import.COLUMNS, course_import.EXAMPLE, strict=True))
    # The NUL must lie beyond the first bytes, by which a file that is no text is known.
    filling = ";".join(course_import.EXAMPLE) + "\n"
    lines = [";".join(course_import.COLUMNS) + "\n", *[filling] * 80]
    wanted = 0
    for column in course_import.COLUMNS:
        line = ";".join({**row, "CodigoCurso": f"67999{wanted:02}", column: cell}.values()) + "\n"
        lines.append(line)
        wanted += 1
    bring = imported("".join(lines).encode())
    assert bring.stage == Stage.CHECKED and bring.total == 80 + wanted
    named = {(problem["line"], problem["column"]) for problem in bring.problems}
    good_names = {"Nombre"} if cell in ("01-01-0001", "31-12-9999", "-1") else set()
    good_codes = {"CodigoCurso"} if cell in ("01-01-0001", "31-12-9999") else set()
    for offset, column in enumerate(course_import.COLUMNS):
        assert column in good_names | good_codes or (82 + offset, column) in named, column
    ImportJob.objects.filter(pk=bring.pk).update(stage=Stage.LOADING)
    work_on_imports.call()
    bring.refresh_from_db()
    assert bring.stage == Stage.LOADED


@pytest.mark.abuse(78)
def test_deadlines_of_the_last_possible_action_can_be_counted(demo: None) -> None:
    good = API_BODIES["put actions/7000001"]
    assert call("put actions/7000001", {**good, "Inicio": "1990-01-01", "Termino": "2099-12-31"}).status_code == 200
    assert service.deadlines(Action.objects.get(code="7000001"))["settle"].year == 2100


def numbered_addresses(patterns: Any, prefix: str = "/") -> list[str]:
    """Return each address of the site that takes a number, as a template with `{}`."""
    found = []
    for each in patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            found += numbered_addresses(each.url_patterns, route)
        elif isinstance(each, URLPattern) and "<int:" in route:
            found.append(route)
    return found


@pytest.mark.abuse(78)
def test_numbers_in_addresses_are_as_big_as_they_like(demo: None) -> None:
    otec, camila = Visitor(), Visitor()
    otec.open("/rts")
    otec.send(rut=OTEC, representative="33333333-3", key="CA739105")
    camila.sign_in(CAMILA, "KM482915")
    people = [camila, otec, Desk("agente"), Desk("revisor"), Desk("supervisor")]
    routes = numbered_addresses(get_resolver().url_patterns)
    assert len(routes) >= 7
    for route in routes:
        for number in HUGE:
            path = route.split("<")[0] + str(number) + "".join(part.split(">", 1)[1] for part in route.split("<")[1:])
            path = path.replace("<slug:name>", "x")
            for person in people:
                for method in ("get", "post"):
                    answer = getattr(person.client, method)(path)
                    assert answer.status_code < 500, (method, path)


@pytest.mark.abuse(78)
@pytest.mark.parametrize("text", ["", "0", "-1", "1e3", "٣", "²", str(2**63), str(10**40), "0001-01-01", "9999-12-31", "10000-01-01", "%00", "%ED%A0%80"])  # fmt: skip
def test_query_strings_hold_what_they_like(demo: None, text: str) -> None:
    otec = Visitor()
    otec.open("/rts")
    otec.send(rut=OTEC, representative="33333333-3", key="CA739105")
    supervisor = Desk("supervisor")
    places = [
        (otec, "/rts/cursos/6700001?desde={0}&hasta={0}"),
        (otec, "/rts/cursos/6700001/asistencia.csv?desde={0}&hasta={0}"),
        (otec, "/rts?hecho={0}"),
        (otec, "/ingresar?volver={0}"),
        (supervisor, "/backoffice/auditoria?antes={0}&titular={0}&desde={0}&hasta={0}"),
        (supervisor, "/backoffice/?antes={0}"),
    ]
    for person, path in places:
        answer = person.client.get(path.format(text))
        assert answer.status_code < 500 and answer.status_code != 404, (path, text)


@pytest.mark.abuse(78)
@pytest.mark.parametrize("raw", [b"%ED%A0%80", b"\xed\xa0\x80", b"%ED%B0%80x", b"%00"])
def test_half_a_character_in_a_form_is_refused(demo: None, raw: bytes) -> None:
    for path in (*FORMS, "/verificar", "/rce/Registro/IniciarSesion"):
        for field in (b"rut", b"folio", b"UrlRetoma", b"envio"):
            is_a_page(Client().post(path, field + b"=" + raw, content_type=FORM), 400)


@pytest.mark.abuse(78)
def test_the_api_answers_in_json_whatever_is_wrong(demo: None) -> None:
    client = Client(HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    big = json.dumps({"runs": ["x" * 12] * 10_000})
    for status, answer in (
        (404, client.get("/api/v1/nothing")),
        (405, client.delete("/api/v1/actions/6700001")),
        (413, client.post("/api/v1/review", big, content_type="application/json")),
        (
            413,
            client.post("/api/v1/review", "x" * (django_settings.CLAVE_MAX_BODY + 1), content_type="application/json"),
        ),
        (415, client.post("/api/v1/review", "runs=1", content_type=FORM)),
        (400, client.get("/api/v1/actions/a%0Ab/attendance")),
        (400, client.get("/api/v1/actions?" + "a" * 5000)),
        (400, client.post("/api/v1/review", "{", content_type="application/json")),
        (401, Client().get("/api/v1/actions")),
    ):
        assert answer.status_code == status
        if status == 405:
            assert answer["Allow"] == "PUT"
        else:
            assert answer["Content-Type"].startswith("application/json") and answer.json()["detail"]
