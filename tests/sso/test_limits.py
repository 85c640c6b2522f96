"""What is stored for who has not signed in is bounded (abuse cases 40 and 73)."""

import pytest

from clave.lib.clock import Stopped
from clave.sso import pending_limits
from clave.sso.models import PendingAuthorization
from clave.sso.tasks import rotate_keys_and_purge
from tests.sso.application import Application
from tests.story import Visitor


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending_limits, "NETWORK", (5, 1))
    monkeypatch.setattr(pending_limits, "CLIENT", (8, 1))
    pending_limits._buckets.cache_clear()


@pytest.mark.abuse(40)
def test_a_network_and_an_application_have_a_bound_and_it_passes(
    app: Application, few: None, clock: Stopped, visitor: Visitor
) -> None:
    """By GET, by POST and pushed; whoever is signed in already needs nothing stored."""
    for _ in range(3):
        assert Visitor().client.get(app.url()).status_code == 302
        Visitor().client.post("/sso/authorize", app.request())
    assert PendingAuthorization.objects.count() == 5
    for response in (Visitor().client.get(app.url()), Visitor().client.post("/sso/authorize", app.request())):
        assert response.status_code == 429 and "Demasiad" in response.content.decode()
    others = [Visitor(f"198.51.100.{n}").client.get(app.url()).status_code for n in range(5)]
    assert others == [302, 302, 302, 429, 429], "the application's own bound"
    assert app.post("par", app.request()).status_code == 429
    clock.move(seconds=2)
    assert visitor.client.get(app.url()).status_code == 302


def test_a_class_of_three_hundred_is_below_the_bound(app: Application, clock: Stopped) -> None:
    for _ in range(300):
        assert pending_limits.try_admit(app.client, "203.0.113.7")


def test_who_needs_no_page_is_not_counted(app: Application, few: None, camila: Visitor) -> None:
    app.code(camila)
    for _ in range(12):
        assert "code" in app.answer(camila.client.get(app.url()))
    for _ in range(12):
        assert "error" in app.answer(Visitor().client.get(app.url(prompt="none")))


def test_a_refused_request_stores_nothing(app: Application, visitor: Visitor) -> None:
    for asked in ({"scope": "email"}, {"redirect_uri": "https://evil.example"}, {"prompt": "none"}, {"claims": "["}):
        visitor.client.get(app.url(**asked))
        visitor.client.post("/sso/authorize", app.request(**asked))
    assert PendingAuthorization.objects.count() <= 1, "a posted prompt=none waits for the GET that follows"


def test_what_is_over_is_deleted(app: Application, clock: Stopped, visitor: Visitor) -> None:
    visitor.client.get(app.url())
    clock.move(minutes=30)
    rotate_keys_and_purge.func()
    assert not PendingAuthorization.objects.exists()
    assert visitor.open("/sso/solicitud/" + "0" * 32).shows("La solicitud ya terminó")
