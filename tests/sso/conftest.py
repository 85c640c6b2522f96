"""The simulated ClaveÚnica and Clave Tributaria stand open at the services of the `edge` fixture."""

from collections.abc import Iterator

import pytest

from clave.sandbox.openid import PROVIDERS, Provider
from clave.sso.upstream import client
from clave.web import rendering
from tests.sso.doors import Install


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
