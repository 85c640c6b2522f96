"""Fixtures of the tests of sign-on."""

from collections.abc import Iterator

import pytest

from clave.sandbox.openid import PROVIDERS, Provider
from clave.sso import pending_limits
from clave.sso.upstream import client
from clave.web import rendering
from tests.sso.application import Application, signed_in
from tests.sso.doors import Install
from tests.story import Visitor


@pytest.fixture
def app(demo: None) -> Application:
    """An application with a secret, known to nobody yet."""
    return Application()


@pytest.fixture
def camila(demo: None) -> Visitor:
    """Somebody who has signed in."""
    return signed_in()


@pytest.fixture(autouse=True)
def no_requests_counted() -> None:
    """Every test begins as if nobody had asked to sign in anywhere."""
    pending_limits._buckets.cache_clear()


@pytest.fixture
def doors(demo: None) -> Iterator[None]:
    """No page is kept from a test in which other doors were open, nor for one."""
    rendering._rendered.clear()
    yield
    rendering._rendered.clear()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a provider in the place of the honest one, whose keys nobody remembers."""

    def put(provider: Provider) -> None:
        monkeypatch.setitem(PROVIDERS, provider.name.lower(), provider)
        client.issuer_of.cache_clear()

    return put
