"""A real Chromium in front of a real installation."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import installation
from tests.browser.reader import Reader

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is one in the browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.needs("chromium"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[installation.LiveInstallation]:
    """One installation for all browser tests, on the store that this run is about."""
    url = os.environ.get("DATABASE_URL", "")
    if url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS clave_browser WITH (FORCE)")
            connection.execute("CREATE DATABASE clave_browser")
        url = url.rsplit("/", 1)[0] + "/clave_browser"
    # Hashes as cheap as in the other tests: here it is the pages that count.
    home = tmp_path_factory.mktemp("installation")
    with installation.running(home, url, ARGON2_MEMORY_KIB="64", ARGON2_TIME="1") as running:
        yield running


@pytest.fixture
def site(live: installation.LiveInstallation) -> installation.LiveInstallation:
    """The installation with nothing but the demo's holders in it."""
    live.empty()
    return live


@pytest.fixture
def folder() -> Path:
    path = ARTEFACTS / ("postgresql" if os.environ.get("DATABASE_URL") else "sqlite")
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def reader(chromium: Browser, site: installation.LiveInstallation, folder: Path) -> Iterator[Reader]:
    """A person at a desktop screen."""
    context = chromium.new_context(viewport={"width": 1100, "height": 800}, locale="en-US")
    yield Reader(context.new_page(), site, folder)
    context.close()


@pytest.fixture
def phone(chromium: Browser, site: installation.LiveInstallation, folder: Path) -> Iterator[Reader]:
    """A person with an old phone, 320 px wide, whose browser runs no scripts."""
    context = chromium.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=False)
    yield Reader(context.new_page(), site, folder, scripts=False)
    context.close()


@pytest.fixture(params=["reader", "phone"])
def person(request: pytest.FixtureRequest) -> Reader:
    """Whoever comes: first at a desktop screen, then with an old phone."""
    found: Reader = request.getfixturevalue(request.param)
    return found
