"""The checker: what it finds right in a right application, wrong in a wrong one, and where it does not go."""

import time
from collections.abc import Callable, Iterator

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from clave.audit.models import Entry
from clave.sso.certification import browser, service
from clave.sso.certification.browser import Browser, NotAllowed
from clave.sso.certification.person import Person
from clave.sso.certification.points import Finding, Verdict
from tests.desk import Desk
from tests.sso.application import CAMILA
from tests.sso.integrator import Integrator

pytestmark = pytest.mark.slow

Make = Callable[..., Integrator]
PERSON = Person(*CAMILA)


@pytest.fixture
def integrator(committed: None) -> Iterator[Make]:
    """Make applications; each is really listening, so what is done to the store is really committed."""
    made: list[Integrator] = []

    def make(fault: str = "", **fields: object) -> Integrator:
        made.append(Integrator(fault, **fields))
        return made[-1]

    yield make
    for each in made:
        each.close()


def browser_for(app: Integrator) -> Browser:
    return Browser(app.client, time.monotonic() + 60)


def failed(found: list[Finding]) -> set[int]:
    return {finding.point for finding in found if finding.verdict is Verdict.FAILED}


def words(found: list[Finding]) -> str:
    return "\n".join(f"{each.point} {each.verdict.value} {each.words}" for each in found)


def test_a_right_application_fails_nothing_and_all_but_https_is_seen(integrator: Make) -> None:
    app = integrator()
    found = service.run(app.client, f"{app.url}/", PERSON)
    assert failed(found) == set(), words(found)
    unseen = {each.point for each in found if each.verdict is Verdict.UNSEEN}
    assert unseen == {2}, words(found)
    assert {each.point for each in found} == set(range(1, 9))


@pytest.mark.parametrize(
    ("fault", "point"),
    [
        ("nameless_button", 1),
        ("frame", 3),
        ("fixed_state", 4),
        ("short_state", 4),
        ("state_is_ignored", 4),
        ("state_is_kept", 4),
        ("wrong_scope", 5),
        ("fails_when_refused", 5),
        ("leads_nowhere", 5),
        ("never_redeems", 6),
        ("token_in_address", 6),
        ("secret_in_page", 7),
        ("only_leaves_itself", 8),
    ],
)
def test_an_application_that_is_wrong_is_told_in_which_point(integrator: Make, fault: str, point: int) -> None:
    app = integrator(fault)
    found = service.run(app.client, f"{app.url}/", PERSON)
    assert failed(found) == {point}, words(found)


def test_without_a_person_what_needs_one_is_not_seen(integrator: Make) -> None:
    app = integrator()
    found = service.run(app.client, f"{app.url}/ingresar", None)
    assert failed(found) == set()
    assert {each.point for each in found if each.verdict is Verdict.UNSEEN} == {1, 2, 6, 8}, words(found)


@pytest.mark.abuse(44)
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2/",
        "http://localhost/",
        "http://metadata.google.internal/",
        "http://127.0.0.1@169.254.169.254/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//",
        "",
    ],
)
def test_only_the_hosts_that_are_registered_are_asked(integrator: Make, url: str) -> None:
    app = integrator()
    with pytest.raises(NotAllowed):
        browser_for(app).ask(url)
    assert failed(service.run(app.client, url, None)) == set() and app.asked == []


@pytest.mark.abuse(44)
def test_a_redirect_elsewhere_is_not_followed(integrator: Make) -> None:
    app = integrator("elsewhere")
    found = service.run(app.client, f"{app.url}/", None)
    assert "169.254.169.254" in words(found) and "no está entre las direcciones" in words(found)


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:99999/", "http://[::1"])
def test_an_address_that_cannot_be_read_is_told(integrator: Make, url: str) -> None:
    app = integrator()
    assert service.run(app.client, url, None)[0].words
    assert app.asked == []


@pytest.mark.abuse(44)
def test_outside_of_a_demo_only_public_addresses_are_asked(integrator: Make, settings: Settings) -> None:
    app = integrator()
    settings.CLAVE_DEMO = False
    with pytest.raises(NotAllowed):
        browser_for(app).ask(f"{app.url}/")
    assert app.asked == []


@pytest.mark.abuse(44)
def test_a_name_is_looked_up_once_and_that_address_is_asked(integrator: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers differently the second time leads nowhere else."""
    app = integrator(redirect_uris=["http://aula.example.cl/callback"])
    looked_up = []

    def address_of(host: str, port: int) -> str:
        looked_up.append(host)
        return "127.0.0.1"

    monkeypatch.setattr(browser, "_address_of", address_of)
    app.client.redirect_uris = [f"http://aula.example.cl:{app.server_port}/callback"]
    assert browser_for(app).ask(f"http://aula.example.cl:{app.server_port}/").status == 200
    assert looked_up == ["aula.example.cl"]


def test_an_application_that_does_not_answer_is_told(integrator: Make) -> None:
    app = integrator()
    app.close()
    assert "no responde" in words(service.run(app.client, f"{app.url}/", None))


def test_the_command_tells_each_point_and_fails_if_one_does(
    integrator: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    app, wrong = integrator(), integrator("secret_in_page")
    call_command("check_client", app.app.client_id, application=f"{app.url}/", person=list(CAMILA))
    assert "ok     8 Al salir se sale también de Clave" in capsys.readouterr().out
    with pytest.raises(CommandError, match="some points are not met"):
        call_command("check_client", wrong.app.client_id, application=f"{wrong.url}/")
    assert "FAIL   7" in capsys.readouterr().out


def test_nobodys_key_is_taken_outside_of_a_demo(integrator: Make, settings: Settings) -> None:
    app = integrator()
    settings.CLAVE_DEMO = False
    with pytest.raises(CommandError, match="only in a demo"):
        call_command("check_client", app.app.client_id, application=f"{app.url}/", person=list(CAMILA))


def test_a_supervisor_runs_it_from_the_clients_page(integrator: Make) -> None:
    app, boss = integrator("only_leaves_itself"), Desk("supervisor")
    boss.open(f"/backoffice/sistemas/{app.app.client_id}/comprobar")
    page = boss.send(url=f"{app.url}/", rut=CAMILA[0], key=CAMILA[1])
    assert page.shows("8. Al salir se sale también de Clave", "no llama al cierre", "✗ No", "✓ Sí", "– No se vio")
    assert CAMILA[1] not in page.html
    assert boss.send(url="").shows("no está entre las direcciones")
    assert Entry.objects.filter(action="sso.client_checked").count() == 2


def test_outside_of_a_demo_the_page_asks_for_nobodys_key(integrator: Make, settings: Settings) -> None:
    app, boss = integrator(), Desk("supervisor")
    settings.CLAVE_DEMO = False
    page = boss.open(f"/backoffice/sistemas/{app.app.client_id}/comprobar")
    assert page.status == 200 and 'name="key"' not in page.html
