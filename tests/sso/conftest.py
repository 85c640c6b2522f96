"""The simulated ClaveÚnica and Clave Tributaria stand open at the services of the `edge` fixture."""

from collections.abc import Iterator

import pytest

from clave.web import rendering


@pytest.fixture
def doors(demo: None) -> Iterator[None]:
    """No page is kept from a test in which other doors were open, nor for one."""
    rendering._rendered.clear()
    yield
    rendering._rendered.clear()
