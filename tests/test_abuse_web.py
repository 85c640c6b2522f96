"""Abuse cases 15 to 23 and 42 to 46 on a person's flows: what any web form and any installation must withstand."""

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client

from clave.holders.models import Holder
from clave.sandbox import services
from tests.story import REGISTRATION, Mailbox, Visitor

CAMILA, KEY, MAIL = "11111111-1", "KM482915", "camila.rojas@example.cl"


@pytest.mark.abuse(15)
@pytest.mark.parametrize("key", ["K" * 1_000, "КМ482915", "KM482915\u200b", "ＫＭ482915"])
def test_look_alikes_and_long_keys_are_refused_before_hashing(visitor: Visitor, key: str) -> None:
    assert visitor.change_key(CAMILA, KEY, key).status == 400
    page = visitor.sign_in(CAMILA, key)
    assert page.status == 400 and "Mi cuenta Mis datos" not in page.text


@pytest.mark.abuse(16)
@pytest.mark.parametrize("path", ["/persona/registrarse", "/ingresar", "/salir", "/mi-cuenta/cerrar-otras", "/persona/recuperar", "/persona/cambiar", "/persona/actualizar", "/sandbox/servicio"])  # fmt: skip
def test_every_change_needs_the_pages_own_token(demo: None, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/ingresar")
    assert client.post(path, {"rut": CAMILA}).status_code == 403
    forged = client.get("/ingresar").content.decode().split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert (
        client.post(path, {"csrfmiddlewaretoken": forged, "rut": "1"}, HTTP_ORIGIN="https://evil.example").status_code
        == 403
    )


@pytest.mark.abuse(18, 22)
@pytest.mark.parametrize("path", ["/", "/ingresar", "/persona/registrarse", "/nada", "/mi-cuenta", "/sandbox/"])
def test_no_page_is_framed_or_kept_by_a_cache(demo: None, path: str) -> None:
    headers = Client().get(path, follow=True).headers
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy and headers["X-Frame-Options"] == "DENY"
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"


@pytest.mark.abuse(19)
def test_what_people_and_browsers_send_is_shown_as_text(visitor: Visitor) -> None:
    evil = '"><script>alert(1)</script>'
    Holder.objects.filter(identifier=CAMILA).update(street=evil, names=evil, email="a@example.cl")
    other = Visitor(HTTP_USER_AGENT=evil)
    page = other.sign_in(CAMILA, KEY)
    assert page.shows("alert(1)") and "<script>alert" not in page.html
    page = visitor.register(street=evil, rut=evil, email=evil)
    assert "<script>alert" not in page.html


@pytest.mark.abuse(20)
@pytest.mark.parametrize("header", ["HTTP_HOST", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_SERVER", "HTTP_FORWARDED", "HTTP_X_HOST", "HTTP_X_ORIGINAL_HOST"])  # fmt: skip
@pytest.mark.parametrize("value", ["evil.example", "testserver:80@evil.example", "testserver.evil.example", "evil.example:8000", "a\tb", "testserver/evil", "host=evil.example", "[::1]evil", ""])  # fmt: skip
@pytest.mark.slow
def test_a_forged_host_never_reaches_a_mail(demo: None, mailbox: Mailbox, header: str, value: str) -> None:
    visitor = Visitor(**{header: value})
    visitor.open("/persona/recuperar")
    if "rut" in visitor.page.fields:
        visitor.send(rut=CAMILA)
        visitor.send(answer="Copito")
        mail = mailbox.last(MAIL)
        assert set(re.findall(r"https?://[^/\s\"<]+", mail["text"] + mail["html"])) == {django_settings.CLAVE_URL}
        assert mail["to"] == MAIL
    else:
        assert visitor.page.status == 400 and mailbox.all() == []


@pytest.mark.abuse(21)
def test_after_signing_in_one_stays_on_this_site(demo: None) -> None:
    hosts = ["//evil.example", "https://evil.example", "http:evil.example", "\\\\evil.example", "/\\evil.example", "///evil.example",
             "javascript:alert(1)", "data:text/html,x", "https://testserver@evil.example", "//evil。example", "/%09/evil.example",
             "https:/evil.example", " //evil.example", "\t//evil.example", "/\t/evil.example", "http://[::1", "//\x00evil"]  # fmt: skip
    for value in [
        variant for host in hosts for variant in (host, host.upper(), host + "/", host + "?x=/", "%2f" + host)
    ]:
        visitor = Visitor()
        visitor.open("/ingresar")
        answer = visitor.client.post("/ingresar", visitor.fill(rut=CAMILA, key=KEY, volver=value))
        if answer.status_code != 400:
            location = answer.headers["Location"]
            assert location.startswith("/") and not re.match(r"/[/\\\s]", location), value
        where = Client().get("/idioma/es", {"volver": value})
        if where.status_code != 400:
            assert re.match(r"/(?![/\\\s])", where.headers["Location"]), value


@pytest.mark.abuse(23)
def test_a_finished_run_cannot_be_replayed(visitor: Visitor) -> None:
    visitor.open("/persona/cambiar")
    visitor.send(rut=CAMILA, key=KEY)
    path, form = visitor.page.url, visitor.fill(new_key="NW604827", new_key_again="NW604827")
    assert visitor.post(path, form).shows("Su clave fue cambiada")
    again = {**form, "envio": "another-submission-key", "new_key": "PT739164", "new_key_again": "PT739164"}
    assert visitor.post(path, again).shows("Este paso ya no está disponible")


@pytest.mark.abuse(42)
def test_huge_cookies_and_many_headers_are_survived(demo: None) -> None:
    headers = {f"HTTP_X_{n}": "x" * 100 for n in range(200)}
    cookies = "; ".join([f"sesion={'x' * 8000}", f"navegador={'x' * 8000}", "csrftoken=" + "\x01" * 100])
    client = Client(HTTP_COOKIE=cookies)
    client.defaults.update(headers)
    assert client.get("/ingresar").status_code == 200


@pytest.mark.abuse(43)
@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", "{{ settings.SECRET_KEY }}", "{% load x %}", "%s%s%n", "x\r\nX-Evil: 1", "${7*7}"]
)
def test_injections_are_plain_text(visitor: Visitor, mailbox: Mailbox, text: str) -> None:
    page = visitor.register(street=text, answer=f"respuesta {text}")
    assert page.status in (200, 400) and django_settings.SECRET_KEY not in page.html
    assert "X-Evil" not in page.response.headers and "49" not in re.sub(r"\W4949\W", "", page.fields.get("street", ""))
    assert Holder.objects.filter(profile="PN").count() in (5, 6)
    for mail in mailbox.all():
        assert mail["to"] in ("cuatro@example.cl", "+56987654321")


@pytest.mark.abuse(45)
def test_a_crash_before_the_commit_leaves_no_account_and_no_message(
    visitor: Visitor, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.client.raise_request_exception = False
    visitor.open("/persona/registrarse")
    form = visitor.fill(**REGISTRATION)

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("clave.audit.service.record", crash)
        patch.setattr("clave.selfservice.register.service.audit.record", crash)
        services.set_behaviour("registro_civil", "ok")
        assert visitor.post("/persona/registrarse", form).status == 500
    assert not Holder.objects.filter(identifier="44444444-4").exists() and mailbox.all() == []


@pytest.mark.abuse(46)
@pytest.mark.slow
@pytest.mark.storeless
def test_the_repository_holds_no_secret() -> None:
    root = Path(__file__).parents[1]
    from tests import check_secrets

    assert check_secrets.main() == 0
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True).stdout.split()
    assert not [
        name for name in tracked if name.endswith((".pem", ".key", ".sqlite3", "secret_key")) or name.startswith("var/")
    ]
    locks = "".join((root / "requirements" / f"{name}.lock").read_text() for name in ("uv", "base", "dev"))
    assert "--hash=sha256:" in locks and "://" not in locks
