"""What strangers meet at the edge: names of hosts, figures, helpers and what they know."""

import ast
import ipaddress
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from clave.lib import isolated_process
from clave.lib.clock import Stopped
from clave.lib.networks import address_block
from clave.rce import pending_limits
from clave.rce.models import PendingRequest
from tests.story import Visitor
from tests.wire.platform import KEYS, Platform

FIGURES = "clave_messages_late"
PATHS = (
    "/", "/ingresar", "/persona/registrarse", "/captcha/nuevo", "/captcha/x.png", "/asistencia/bloque/x", "/rts",
    "/api/v1/openapi.json", "/backoffice", "/sandbox/", "/verificar", "/static/theme/clave.css", "/nothing",
    "/healthz", "/readyz", "/metrics", "/rce/Registro/IniciarSesion",
)  # fmt: skip
EVIL_HOSTS = (
    "evil", "evil.example.cl", "localhost.evil.example.cl", "127.0.0.1.evil.example.cl", "evil.example.cl:80",
    "testserver@evil", "testserver, evil", "testserver/evil", "testserver\\evil", "", ".", "[::1", "testserver:80:80",
    "téstserver", "0", "*",
)  # fmt: skip
ROOT = Path(__file__).parents[1]
LAUNCHERS = ("clave/operations/launcher.py", "clave/operations/")


@pytest.mark.abuse(74)
def test_a_helper_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = (
        "CLAVE_SECRET_KEY",
        "DATABASE_URL",
        "CACHE_URL",
        "SMS_GATEWAY_TOKEN",
        "VAULT_S3_SECRET",
        "EMAIL_HOST_PASSWORD",
    )
    for name in secrets:
        monkeypatch.setenv(name, "canary-of-the-installation")
    monkeypatch.setenv("SOMETHING_NEW", "canary-of-the-installation")
    with (ROOT / "pyproject.toml").open() as opened:
        os.set_inheritable(opened.fileno(), True)
        seen = json.loads(isolated_process.run("tests.printing_environ", content=b"", timeout=30).stdout)
    assert "canary-of-the-installation" not in str(seen["environ"]) and not set(secrets) & set(seen["environ"])
    assert "PATH" in seen["environ"]
    # Its three streams, and the folder it lists them from.
    assert len(seen["descriptors"]) == 4


@pytest.mark.abuse(74)
def test_no_module_starts_a_process_but_through_the_helper() -> None:
    """What the launcher starts is the installation itself and must know its settings."""
    starting = set()
    for file in (ROOT / "clave").rglob("*.py"):
        name = str(file.relative_to(ROOT))
        if "/tests/" not in name and not name.startswith(LAUNCHERS) and "subprocess" in imported_by(file):
            starting.add(name)
    assert starting == {"clave/lib/isolated_process.py"}


def imported_by(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.abuse(74)
def test_a_helper_that_does_not_end_is_killed() -> None:
    with pytest.raises(TimeoutError, match=r"http\.server took more than"):
        isolated_process.run("http.server", "0", content=b"", timeout=0.5)


@pytest.fixture
def client(demo: None) -> Client:
    return Client()


@pytest.mark.abuse(73)
@pytest.mark.parametrize("path", PATHS)
def test_a_host_that_is_not_ours_gets_400_on_every_path(client: Client, path: str) -> None:
    for host in EVIL_HOSTS:
        for answer in (client.get(path, HTTP_HOST=host), client.post(path, HTTP_HOST=host)):
            assert answer.status_code == 400, host
            assert host not in ("evil", "evil.example.cl") or host not in answer.content.decode()
    assert client.get(path).status_code != 400


@pytest.mark.abuse(73)
def test_only_probes_may_ask_by_address(client: Client) -> None:
    for host in ("10.1.2.3", "10.1.2.3:8000", "[fd00::7]:8000", "localhost:8000"):
        assert client.get("/healthz", HTTP_HOST=host).status_code == 200
        assert client.get("/metrics", HTTP_HOST=host).status_code == 200
    for path in set(PATHS) - {"/healthz", "/readyz", "/metrics"}:
        assert client.get(path, HTTP_HOST="10.1.2.3:8000").status_code == 400


def reads_figures(client: Client, peer: str, host: str = "localhost", **headers: str) -> bool:
    environ: dict[str, Any] = {"REMOTE_ADDR": peer, "HTTP_HOST": host, **headers}
    answer = client.get("/metrics", **environ)
    assert answer.status_code in (200, 404) and (answer.status_code == 200) == (FIGURES in answer.content.decode())
    return answer.status_code == 200


@pytest.mark.abuse(52)
def test_figures_are_for_this_machine_and_the_networks_allowed(client: Client, settings: Settings) -> None:
    assert reads_figures(client, "127.0.0.1") and reads_figures(client, "::1")
    assert reads_figures(client, "::ffff:127.0.0.1")
    for stranger in ("203.0.113.7", "10.0.0.9", "::ffff:203.0.113.7", "2001:db8::1", "", "localhost", "0.0.0.0"):
        assert not reads_figures(client, stranger), stranger
    settings.METRICS_ALLOW = [*settings.METRICS_ALLOW, ipaddress.ip_network("10.0.0.0/24")]
    assert reads_figures(client, "10.0.0.9") and not reads_figures(client, "10.0.1.9")


@pytest.mark.abuse(52)
@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_figures_are_not_passed_on_by_a_proxy_on_this_machine(client: Client, settings: Settings, proxies: int) -> None:
    settings.CLAVE_TRUSTED_PROXIES = proxies
    strangers = ("203.0.113.7", "127.0.0.1, 203.0.113.7", "203.0.113.7, 127.0.0.1", "", "unknown", "127.0.0.1:80, x")
    for forwarded in strangers:
        assert not reads_figures(client, "127.0.0.1", HTTP_X_FORWARDED_FOR=forwarded), forwarded
    requires_representative: tuple[str, ...] = (
        "FORWARDED",
        "X_REAL_IP",
        "VIA",
        "X_FORWARDED_PROTO",
        "X_FORWARDED_HOST",
        "X_FORWARDED_PORT",
    )
    requires_representative += ("CF_CONNECTING_IP", "TRUE_CLIENT_IP", "X_CLIENT_IP", "X_CLUSTER_CLIENT_IP")
    for name in (f"HTTP_{sign}" for sign in requires_representative):
        assert not reads_figures(client, "127.0.0.1", **{name: "127.0.0.1"}), name
    # Who names itself so needs no proxy to say it.
    assert not reads_figures(client, "203.0.113.7", HTTP_X_FORWARDED_FOR="127.0.0.1")
    assert reads_figures(client, "127.0.0.1", HTTP_X_FORWARDED_FOR="127.0.0.1") == bool(proxies)


@pytest.mark.abuse(52)
@pytest.mark.parametrize("forwarded", [{}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}])
def test_figures_behind_a_proxy_are_asked_for_by_address_and_never_by_the_public_name(
    client: Client, settings: Settings, forwarded: dict[str, str]
) -> None:
    settings.CLAVE_TRUSTED_PROXIES = 1
    for host in ("localhost", "127.0.0.1:8000", "10.1.2.3", "[::1]:8000"):
        assert reads_figures(client, "127.0.0.1", host, **forwarded), host
    assert not reads_figures(client, "127.0.0.1", "testserver", **forwarded)
    settings.CLAVE_TRUSTED_PROXIES = 0
    assert reads_figures(client, "127.0.0.1", "testserver")


@pytest.fixture
def bounds(demo: None, settings: Settings) -> None:
    settings.RCE_PENDING_FACTOR = 1
    pending_limits._buckets.cache_clear()


@pytest.mark.abuse(73)
def test_who_repeats_a_request_makes_no_rows_without_end_and_hurts_no_classmate(bounds: None, clock: Stopped) -> None:
    flooder = Platform(Visitor("203.0.113.50"))
    for _ in range(pending_limits.PARTICIPANT[0]):
        flooder.post("IniciarSesion")
    assert PendingRequest.objects.count() == pending_limits.PARTICIPANT[0]
    assert (
        flooder.ask("IniciarSesion").verdict == "error 300"
        and PendingRequest.objects.count() == pending_limits.PARTICIPANT[0]
    )
    classmate = Platform(Visitor("203.0.113.50"))
    assert classmate.post("IniciarSesion", RunAlumno=next(run for run in KEYS if run != "11111111-1")).status == 200
    assert Platform(Visitor("203.0.113.51")).post("IniciarSesion").status == 200
    assert PendingRequest.objects.count() == pending_limits.PARTICIPANT[0] + 2
    clock.move(seconds=10)
    flooder.post("IniciarSesion")
    assert PendingRequest.objects.count() == pending_limits.PARTICIPANT[0] + 3, "it is let in again as time passes"


@pytest.mark.abuse(73)
@pytest.mark.parametrize("which", ["NETWORK", "TOKEN"])
def test_a_network_and_a_token_have_a_bound_and_a_class_is_below_it(
    bounds: None, clock: Stopped, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    assert pending_limits.NETWORK[0] >= 300 * 5 and pending_limits.NETWORK[1] * 60 >= 300
    monkeypatch.setattr(pending_limits, which, (2, 0.1))
    pending_limits._buckets.cache_clear()
    lms = Platform(Visitor("203.0.113.50"))
    for _ in range(4):
        lms.post("IniciarSesion")
    assert PendingRequest.objects.count() == 2
    Platform(Visitor("203.0.113.51")).post("IniciarSesion")
    assert PendingRequest.objects.count() == (3 if which == "NETWORK" else 2)
    assert address_block("2001:db8::1") == address_block("2001:db8::ffff") != address_block("2001:db8:0:1::1")
    pending_limits._buckets.cache_clear()
