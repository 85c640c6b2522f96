"""The participant's sign-in between a platform's request and our answer, in both variants."""

from typing import Any

import pytest
from django.test import Client

from clave.attendance.models import SessionStart
from clave.lib.clock import Stopped
from clave.sandbox.courses import CAMILA
from tests import factories
from tests.story import Mailbox, Visitor
from tests.wire.platform import FAIL, KEYS, OPENED, Answer, Platform


@pytest.fixture
def platform(demo: None) -> Platform:
    return Platform()


def test_a_wrong_key_can_be_tried_again_as_long_as_it_takes(platform: Platform) -> None:
    platform.post("IniciarSesion")
    assert platform.sign("MALA123456").shows("Clave SENCE", "Hay un problema")
    assert platform.sign("MALA123456").shows("Hay un problema")
    assert platform.visitor.page.fields["rut"] == "11.111.111-1"
    assert Answer(platform.sign()).verdict == "opened"


def test_who_gives_up_takes_the_platform_an_answer(platform: Platform) -> None:
    platform.post("IniciarSesion")
    answer = Answer(platform.visitor.send(cancelar="1"))
    assert (answer.verdict, answer.url) == ("error 312", FAIL) and not SessionStart.objects.exists()
    assert Answer(platform.visitor.open(platform.visitor.page.url)).verdict == "error 312", "and stays so"


def test_a_request_left_alone_for_an_hour_is_over(platform: Platform, clock: Stopped) -> None:
    platform.post("IniciarSesion")
    clock.move(minutes=61)
    assert Answer(platform.sign()).verdict == "error 312" and not SessionStart.objects.exists()


class TestStrict:
    """The variant of manual v1.1.3."""

    @pytest.fixture(autouse=True)
    def strict(self, settings: Any) -> None:
        settings.RCE_SIGNIN = {"rce": "strict", "rcetest": "strict"}

    def test_the_third_failure_gives_100(self, platform: Platform) -> None:
        assert platform.post("IniciarSesion").shows("3 minutos y 3 intentos")
        for _ in range(2):
            assert platform.sign("MALA123456").shows("Hay un problema")
        answer = Answer(platform.sign("MALA123456"))
        assert (answer.verdict, answer.url, answer.names) == ("error 100", FAIL, [*OPENED, "GlosaError"])

    def test_three_minutes_give_210(self, platform: Platform, clock: Stopped) -> None:
        page = platform.post("IniciarSesion")
        assert page.response.headers["Refresh"] == f"181; url={page.url}"
        clock.move(seconds=181)
        assert Answer(platform.sign()).verdict == "error 210" and not SessionStart.objects.exists()


@pytest.mark.abuse(24)
def test_another_person_who_signs_in_gives_311(platform: Platform) -> None:
    platform.post("IniciarSesion")
    answer = Answer(platform.sign("TR618204", rut="22222222-2"))
    assert (answer.verdict, answer.url) == ("error 311", FAIL) and not SessionStart.objects.exists()


def test_another_persons_rut_with_a_wrong_key_tells_nothing(platform: Platform) -> None:
    platform.post("IniciarSesion")
    assert platform.sign("MALA123456", rut="22222222-2").shows("Hay un problema")


@pytest.mark.abuse(23)
def test_the_page_belongs_to_the_browser_that_got_it(platform: Platform) -> None:
    address = platform.post("IniciarSesion").url
    assert Visitor().open(address).shows("Esta solicitud ya no está disponible")
    assert Visitor().open("/rce/solicitud/" + "0" * 32).status == 404


@pytest.mark.abuse(16)
def test_another_site_cannot_send_the_form_for_a_browser_that_did_not_bring_the_request(platform: Platform) -> None:
    page = platform.post("IniciarSesion")
    victim = Client(enforce_csrf_checks=True, HTTP_ORIGIN="https://evil.example.com")
    victim.cookies["csrftoken"] = "x" * 32
    for cookie in ("", "guessed"):
        victim.cookies["canje"] = cookie
        answer = victim.post(page.url, {**page.fields, "key": KEYS[CAMILA]})
        assert answer.status_code == 404 and not SessionStart.objects.exists()
    assert Answer(platform.sign()).verdict == "opened"


def test_the_platforms_form_brings_the_sign_in_page_and_changes_no_other_cookie(platform: Platform) -> None:
    page = platform.post("IniciarSesion")
    assert page.response.redirect_chain == [] and page.shows("Escriba su Clave SENCE")
    assert page.fields == {"rut": "11.111.111-1", "key": ""}
    given = page.response.cookies
    assert list(given) == ["canje"] and given["canje"]["path"] == page.url.rstrip("/")
    assert given["canje"]["httponly"] and given["canje"]["samesite"] == "Lax"
    assert f"?volver={page.url}" in page.html, "another language shows this page again"
    assert platform.visitor.open(page.url).fields == page.fields


def test_a_temporary_key_leads_through_changing_it_and_back(platform: Platform, mailbox: Mailbox) -> None:
    other = Visitor()
    other.ask_for_key(CAMILA, "Copito")
    key = mailbox.key("camila.rojas@example.cl")
    platform.post("IniciarSesion")
    waiting = platform.visitor.page.url
    assert platform.sign(key).shows("Elija su clave nueva")
    page = platform.visitor.send(new_key="NW604827", new_key_again="NW604827")
    assert page.shows("Su clave fue cambiada", "Seguir con su curso") and f'href="{waiting}"' in page.html
    platform.visitor.open(waiting)
    assert Answer(platform.sign("NW604827")).verdict == "opened"


def test_missing_minimum_data_interrupts_and_the_request_waits(platform: Platform) -> None:
    factories.enrolment("55555555-5")
    waiting = platform.post("IniciarSesion", RunAlumno="55555555-5").url
    page = platform.sign("VB730164")
    assert page.shows("Faltan datos mínimos", "Volver a la página de su curso") and f'href="{waiting}"' in page.html
    assert not SessionStart.objects.exists()
