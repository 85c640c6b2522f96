"""Fixtures of every test: the machine's edge as real servers, a stopped clock, the demo's people."""

import gc
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import pytest_django
from django.conf import settings as django_settings
from django.db import connection

from clave.lib import clock as clave_clock
from clave.operations.launcher import free_port, simulated_doors
from clave.sandbox.reset import as_owner
from tests.story import FACTS, Mailbox, Visitor, at_rts

# Hundreds of thousands of objects live as long as the run, and to look through them for rubbish takes its time.
gc.set_threshold(50_000, 20, 20)
# How fast the machine is says nothing about what a property test looks at.
hypothesis.settings.register_profile("clave", deadline=None)
hypothesis.settings.load_profile("clave")
# What a test marked `needs` may ask for: how to see that it is here. `script/test` without words installs them all.
SERVERS: dict[str, Callable[[], object]] = {
    "chromium": lambda: shutil.which("chromium"),
    "clamd": lambda: shutil.which("clamd"),
    "nginx": lambda: shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"),
    "postgres": lambda: list(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    "redis": lambda: shutil.which("valkey-server") or shutil.which("redis-server"),
    "soffice": lambda: shutil.which("soffice"),
}
# By one of these fixtures, or the mark django_db, a test asks for the store; pytest-django refuses it to others.
STORE = {"db", "transactional_db", "django_db_setup"}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose server is not installed fails with a plain line: skipped, it would pass for a success.

    So does one that says it has nothing to do with the store and asks for it: it would not be tried on both.
    """
    if item.get_closest_marker("storeless"):
        asked_for = STORE & set(getattr(item, "fixturenames", ()))
        if asked_for or item.get_closest_marker("django_db"):
            pytest.fail("marked storeless, but asks for the store", pytrace=False)
    for mark in item.iter_markers("needs"):
        for server in mark.args:
            if not SERVERS[server]():
                pytest.fail(
                    f"needs {server}: see README.md, or leave such tests out with -m 'not needs'", pytrace=False
                )


if TYPE_CHECKING:
    from clave.training.models import Action
    from tests.wire.test_api import Server


@pytest.fixture(scope="session")
def edge() -> Iterator[None]:
    """Registro Civil, upstream doors, SMS gateway and mail server, listening on this machine."""
    from clave.sandbox import services

    http, smtp = free_port(), free_port()
    server = services.serve(http, smtp)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    django_settings.REGISTRO_CIVIL_URL = f"http://127.0.0.1:{http}/registro-civil"
    django_settings.SII_URL = f"http://127.0.0.1:{http}/sii"
    django_settings.SMS_GATEWAY_URL = f"http://127.0.0.1:{http}/sms"
    for name, value in simulated_doors({"CLAVE_URL": django_settings.CLAVE_URL}, f"http://127.0.0.1:{http}").items():
        setattr(django_settings, name, value)
    django_settings.EMAIL_HOST, django_settings.EMAIL_PORT = "127.0.0.1", smtp
    django_settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    yield
    server.shutdown()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> None:
    """Load the demo once: every test's transaction begins with it, and rolls back to it."""
    from clave.sandbox import demo as people

    with django_db_blocker.unblock():
        people.load()


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test begins with well-behaved services, closed circuits and an empty mailbox."""
    from clave.operations.management.commands.worker import forget_connections
    from clave.registries import registro_civil, sii
    from clave.sandbox import services
    from clave.sso.upstream import client

    for file in services.mailbox().glob("*.json"):
        file.unlink()
    for name, behaviour in services.behaviours().items():
        if behaviour != "ok":
            services.set_behaviour(name, "ok")
    registro_civil._registry.cache_clear()
    sii._registry.cache_clear()
    client.issuer_of.cache_clear()
    for name in (
        "audit-anchor.txt",
        "institution.p12",  # made under the secret key of the test that made it
        "inspector.jsonl",
        "inspector-older.jsonl",
        "inspector-wishes.json",
        "clock-offset",
    ):
        (django_settings.CLAVE_HOME / name).unlink(missing_ok=True)
    # pytest-django puts an in-memory mailbox in place; ours is a server.
    django_settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    yield
    if "committed" in request.fixturenames and connection.vendor == "postgresql":
        # The connection whose triggers were set aside may be back in the pool by now.
        forget_connections()


@pytest.fixture
def committed(transactional_db: None, edge: None) -> Iterator[None]:
    """The demo's holders, really committed, for tests in which several connections meet.

    Emptying the store afterwards is just what the audit's triggers forbid, so they are set aside for it.
    """
    from clave.sandbox import demo as people

    people.load()
    yield
    with as_owner() as cursor:
        for table in FACTS:
            cursor.execute(f"DELETE FROM {table}")
    if connection.vendor == "postgresql":
        # The flush that follows truncates; `fresh`, which is torn down last, throws the connection away.
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")


@pytest.fixture
def demo(db: None, edge: None) -> None:
    """The demo's holders in the store."""
    from clave.sandbox import demo as people

    people.load()


@pytest.fixture
def clock() -> Iterator[clave_clock.Stopped]:
    """A clock that stands still until the test moves it."""
    with clave_clock.stopped(datetime.now(UTC)) as stopped:
        yield stopped


@pytest.fixture
def visitor(demo: None) -> Visitor:
    """Somebody with a browser in front of the demo site."""
    return Visitor()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def otec(demo: None) -> Visitor:
    """The training body's representative, signed in at RTS."""
    return at_rts()


@pytest.fixture
def server(demo: None) -> "Server":
    """The server of the training body's platform, with its token."""
    from tests.wire.test_api import Server

    return Server()


@pytest.fixture
def ended(demo: None, clock: clave_clock.Stopped) -> "Action":
    """A course that ended yesterday."""
    from tests.test_statements import end_course

    return end_course(clock)
