"""The simulated ClaveÚnica and Clave Tributaria, configured as the demo configures them."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from clave.operations.launcher import simulated_doors
from clave.sso.upstream import client
from clave.web import rendering


@pytest.fixture
def doors(demo: None, settings: Settings) -> Iterator[None]:
    """Both doors open, at the services of the `edge` fixture."""
    edge = settings.REGISTRO_CIVIL_URL.removesuffix("/registro-civil")
    for name, value in simulated_doors({"CLAVE_URL": settings.CLAVE_URL}, edge).items():
        setattr(settings, name, value)
    client.issuer_of.cache_clear()
    rendering._rendered.clear()
    yield
    rendering._rendered.clear()
