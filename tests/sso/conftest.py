"""Fixtures of the tests of sign-on."""

import pytest

from clave.sso import pending_limits
from tests.sso.application import Application, signed_in
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
