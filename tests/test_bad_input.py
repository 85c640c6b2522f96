"""Whatever arrives, a page answers: never a 500, nothing lost, nothing half done."""

from urllib.parse import urlencode

import pytest
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clave.holders.models import Holder
from clave.lib.clock import Stopped
from tests.story import REGISTRATION, Visitor

pytestmark = pytest.mark.slow

FORMS = ["/persona/registrarse", "/persona/recuperar", "/persona/cambiar", "/persona/actualizar", "/persona/actualizar/fecha-y-correo", "/ingresar"]  # fmt: skip
FORM = "application/x-www-form-urlencoded"


def is_a_page(response: object, *statuses: int) -> None:
    assert response.status_code in statuses, response.status_code  # type: ignore[attr-defined]
    assert "<h1>" in response.content.decode() and "Traceback" not in response.content.decode()  # type: ignore[attr-defined]


@pytest.mark.abuse(42)
@pytest.mark.parametrize("path", FORMS)
def test_malformed_requests_get_a_400_page(demo: None, path: str) -> None:
    client = Client()
    bodies = {
        "repeated parameter": (FORM, b"rut=1&rut=2"),
        "invalid UTF-8": (FORM, b"rut=%ff%fe"),
        "raw invalid UTF-8": (FORM, b"rut=\xff\xfe"),
        "NUL": (FORM, b"rut=1%00"),
        "1 MB": (FORM, b"rut=" + b"1" * 1_000_000),
        "4000 parameters": (FORM, urlencode({f"p{n}": "1" for n in range(4000)}).encode()),
        "JSON": ("application/json", b'{"rut": "1"}'),
        "XML": ("text/xml", b"<rut/>"),
        "broken multipart": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: nonsense"),
        "multipart without boundary": ("multipart/form-data", b"abc"),
        "a file": ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="rut"; filename="a"\r\n\r\n1\r\n--x--\r\n'),
    }  # fmt: skip
    for name, (kind, body) in bodies.items():
        response = client.post(path, body, content_type=kind)
        assert response.status_code == 400, name
        # Not the form with an error beside a field, which has 400 too; a multipart body without parts is an empty form.
        assert b"HTTP-400" in response.content or name == "broken multipart", name
        is_a_page(response, 400)


@pytest.mark.abuse(42)
def test_a_body_of_several_megabytes_is_refused_unread(demo: None) -> None:
    is_a_page(Client().post("/ingresar", b"x" * 3_000_000, content_type=FORM), 413)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(demo: None, method: str) -> None:
    assert getattr(Client(), method)("/ingresar").status_code == 405


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(FORMS), typed=st.dictionaries(st.sampled_from([*REGISTRATION, "key", "birth_date", "captcha", "captcha_ticket", "envio", "volver"]), st.text(max_size=200)))  # fmt: skip
def test_any_words_in_any_field_are_answered(demo: None, path: str, typed: dict[str, str]) -> None:
    visitor = Visitor()
    visitor.open(path)
    before = Holder.objects.count()
    data = {**visitor.page.fields, **{name: text.encode("utf-8", "replace").decode() for name, text in typed.items()}}
    response = visitor.client.post(path, data)
    is_a_page(response, 200, 400, 429)
    assert Holder.objects.count() == before


@pytest.mark.parametrize(
    "text",
    ["\x1b[31m", "a\u0000b", "‮‭", "👩‍👩‍👧", "𝕏", "<script>alert(1)</script>", "a\r\nBcc: x@example.cl", "A" * 5000],
)
@pytest.mark.parametrize("field", ["street", "rut", "email", "mobile", "answer", "question", "comuna", "home_phone"])
@pytest.mark.abuse(43)
def test_strange_texts_in_each_field_are_refused_beside_it(visitor: Visitor, field: str, text: str) -> None:
    response = visitor.register(**{field: text})
    is_a_page(response.response, 400, 200)
    if response.status == 200:
        assert field == "answer", "only an answer may be any text: it is hashed, never shown"
    else:
        assert not Holder.objects.filter(identifier="44444444-4").exists()


@pytest.mark.parametrize(
    "path",
    ["/persona/recuperar/zz/pregunta", "/persona/recuperar/" + "a" * 65 + "/pregunta", "/listo/0123456789abcdef", "/captcha/x.png",
     "/captcha/a-1-b.wav", "/captcha/a-٣-b.png", "/idioma/xx", "/%00", "/" + "a" * 3000, "/ingresar?" + "a" * 5000, "/persona/cambiar/0123456789abcdef/clave"],
)  # fmt: skip
def test_strange_addresses_get_a_page(demo: None, path: str) -> None:
    is_a_page(Client().get(path), 400, 403, 404)


def test_the_captcha_is_gone_after_five_minutes(visitor: Visitor, clock: Stopped) -> None:
    visitor.open("/persona/recuperar")
    form = visitor.fill(rut="11111111-1")
    clock.move(minutes=5, seconds=1)
    assert visitor.post("/persona/recuperar", form).shows("Las letras no coinciden")


def test_the_pages_of_errors_exist_and_speak_plainly(demo: None, rf: RequestFactory) -> None:
    from clave.web.errors import error_page

    for status in (400, 403, 404, 413, 429, 500, 503):
        response = error_page(rf.get("/"), status)
        is_a_page(response, status)
        assert f"HTTP-{status}" in response.content.decode()


def test_a_fault_of_ours_shows_a_page_and_a_lost_store_says_so(demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from clave.selfservice.recover import service

    for error, status in ((RuntimeError("secret words"), 500), (OperationalError("down"), 503)):
        visitor = Visitor()
        visitor.client.raise_request_exception = False
        visitor.open("/persona/recuperar")
        form = visitor.fill(rut="11111111-1")

        def fail(*_: object, error: Exception = error) -> str:
            raise error

        monkeypatch.setattr(service, "question_for", fail)
        page = visitor.post("/persona/recuperar", form)
        assert page.status == status and "secret words" not in page.html
