"""A production start refuses insecure settings, whoever starts what, and names each; of unwise ones it warns."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clave.operations.launcher import free_port
from clave.statements import paper

pytestmark = [pytest.mark.slow, pytest.mark.storeless]

ROOT = Path(__file__).parents[1]
GOOD = {
    "CLAVE_SECRET_KEY": "Zq8w" * 5 + "3nF9-xL2_kTb7YpR6sVd4HgJ1mCaQeWu",
    "CLAVE_HOSTS": "clave.example.cl",
    "CLAVE_URL": "https://clave.example.cl",
    "CLAVE_TRUSTED_PROXIES": "1",
    "REGISTRO_CIVIL_URL": "https://registro.example.cl",
    "SII_URL": "https://sii.example.cl",
}
DOOR = {
    "CLAVEUNICA_ISSUER": "https://cu.example.cl/openid",
    "CLAVEUNICA_CLIENT_ID": "clave",
    "CLAVEUNICA_CLIENT_SECRET": "of this client",
}
WISE = {
    "SMS_GATEWAY_URL": "https://sms.example.cl",
    "CLAVE_MAIL_FROM": "Clave <clave@institucion.example.cl>",
    "CLAMD_URL": "tcp://127.0.0.1:3310",
}
WEB = ("-c", "import clave.config.wsgi")


def start(home: Path, *command: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    base = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return subprocess.run(
        [sys.executable, *(command or WEB)],
        env={**base, "CLAVE_HOME": str(home), **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def lines_of(result: "subprocess.CompletedProcess[str]") -> list[str]:
    return [line[4:] for line in result.stderr.splitlines() if line.startswith("  - ")]


def test_a_secure_production_starts(tmp_path: Path) -> None:
    result = start(tmp_path, **GOOD)
    assert result.returncode == 0 and not lines_of(result)


def test_a_door_with_its_secret_in_a_file_starts(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of this client\n")
    door = {**DOOR, "CLAVEUNICA_CLIENT_SECRET": "", "CLAVEUNICA_CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    result = start(tmp_path, **GOOD, **door)
    assert result.returncode == 0 and not lines_of(result)


@pytest.mark.abuse(81)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CLAVE_SECRET_KEY": "short"}, "CLAVE_SECRET_KEY:"),
        ({"CLAVE_DEBUG": "1"}, "CLAVE_DEBUG:"),
        ({"CLAVE_CAPTCHA": "off"}, "CLAVE_CAPTCHA:"),
        ({"CLAVE_HOSTS": ""}, "CLAVE_HOSTS: name"),
        ({"CLAVE_HOSTS": "*"}, "CLAVE_HOSTS: name"),
        ({"CLAVE_HOSTS": "other.example.cl"}, "CLAVE_HOSTS: must name the host of CLAVE_URL"),
        ({"CLAVE_URL": "http://clave.example.cl"}, "CLAVE_URL:"),
        ({"CLAVE_TRUSTED_PROXIES": "0"}, "CLAVE_TRUSTED_PROXIES: say how many"),
        ({"CLAVE_TRUSTED_PROXIES": ""}, "CLAVE_TRUSTED_PROXIES: say how many"),
        ({"REGISTRO_CIVIL_URL": ""}, "REGISTRO_CIVIL_URL:"),
        ({"SII_URL": ""}, "SII_URL:"),
        ({"DATABASE_URL": "postgres://x/y", "CLAVE_WORKERS": "2"}, "CACHE_URL:"),
        ({"METRICS_ALLOW": "10.0.0.0/8, 0.0.0.0/0"}, "METRICS_ALLOW:"),
        ({**DOOR, "CLAVEUNICA_ISSUER": "http://cu.example.cl"}, "CLAVEUNICA_ISSUER: must begin with https://"),
        ({**DOOR, "CLAVEUNICA_CLIENT_ID": ""}, "CLAVEUNICA_CLIENT_ID: missing"),
        ({**DOOR, "CLAVEUNICA_CLIENT_SECRET": ""}, "CLAVEUNICA_CLIENT_SECRET: missing"),
        ({"ARGON2_MEMORY_KIB": "8"}, "ARGON2_MEMORY_KIB"),
        ({"ARGON2_MEMORY_KIB": "12288", "ARGON2_TIME": "2"}, "ARGON2_MEMORY_KIB"),
    ],
)
def test_each_insecure_setting_is_refused_by_name(tmp_path: Path, change: dict[str, str], named: str) -> None:
    result = start(tmp_path, **{**GOOD, **change})
    assert result.returncode == 1 and "Traceback" not in result.stderr
    (line,) = lines_of(result)
    assert line.startswith(named)


@pytest.mark.abuse(81)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CLAVE_TRUSTED_PROXIES": "one"}, "CLAVE_TRUSTED_PROXIES=one: must be a whole number"),
        ({"CLAVE_TRUSTED_PROXIES": "-1"}, "CLAVE_TRUSTED_PROXIES=-1: must be a whole number"),
        ({"CLAVE_WORKERS": "0"}, "CLAVE_WORKERS=0:"),
        ({"PORT": "http"}, "PORT=http:"),
        ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT=smtp:"),
        ({"ARGON2_TIME": "two"}, "ARGON2_TIME=two:"),
        ({"CLAVE_POOL": "0", "DATABASE_URL": "postgres://x/y"}, "CLAVE_POOL=0:"),
        ({"METRICS_ALLOW": "monitoring"}, "METRICS_ALLOW: monitoring is neither"),
        ({"RETENTION_DAYS": "messages=long"}, "RETENTION_DAYS=long:"),
        ({"RETENTION_DAYS": "letters=3"}, "RETENTION_DAYS: letters: use messages"),
        ({"RCE_SESSION_MINUTES": "2=30"}, "RCE_SESSION_MINUTES: line 2 does not exist"),
        ({"RCE_SESSION_MINUTES": "1=x"}, "RCE_SESSION_MINUTES=x:"),
        ({"CLAVE_PROFILE": "none"}, "CLAVE_PROFILE=none: use guide or hardened"),
        ({"KEY_POLICY": "weak"}, "KEY_POLICY=weak: use"),
        ({"CLAVE_CAPTCHA": "maybe"}, "CLAVE_CAPTCHA=maybe: use image or off"),
        ({"RCE_SIGNIN": "Strict"}, "RCE_SIGNIN=Strict: use patient or strict"),
        ({"RCE_RETURN_HOSTS": "some"}, "RCE_RETURN_HOSTS=some: use any or registered"),
        ({"CLAVEUNICA_PROTOCOL": "oauth"}, "CLAVEUNICA_PROTOCOL=oauth: use guide or discovery"),
        ({"CLAVEUNICA_CLIENT_SECRET_FILE": "/nowhere"}, "CLAVEUNICA_CLIENT_SECRET_FILE: this file cannot be read"),
        ({"CLAVE_HOME": "/proc/nowhere"}, "CLAVE_HOME=/proc/nowhere:"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL: must begin with"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name_in_a_demo_too(
    tmp_path: Path, change: dict[str, str], named: str
) -> None:
    result = start(tmp_path, **{"CLAVE_DEMO": "1", "CLAVE_SECRET_KEY": GOOD["CLAVE_SECRET_KEY"], **change})
    assert result.returncode == 1 and "Traceback" not in result.stderr
    (line,) = lines_of(result)
    assert line.startswith(named)


@pytest.mark.abuse(81)
def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    assert len(lines_of(start(tmp_path, CLAVE_WORKERS="1"))) >= 5


@pytest.mark.abuse(81)
def test_without_proxies_an_operator_says_that_clients_keep_their_addresses(tmp_path: Path) -> None:
    assert start(tmp_path, **{**GOOD, "CLAVE_TRUSTED_PROXIES": "0", "CLAVE_DIRECT_TLS": "1"}).returncode == 0


@pytest.mark.abuse(42)
def test_receiving_bodies_first_is_left_only_to_a_proxy(tmp_path: Path) -> None:
    assert start(tmp_path, **GOOD, CLAVE_BUFFER_BODIES="0").returncode == 0
    alone = {**GOOD, "CLAVE_TRUSTED_PROXIES": "0", "CLAVE_DIRECT_TLS": "1", "CLAVE_BUFFER_BODIES": "0"}
    (line,) = lines_of(start(tmp_path, **alone))
    assert line.startswith("CLAVE_BUFFER_BODIES:")


@pytest.mark.abuse(81)
@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "prepare"),
        ("manage.py", "worker"),
        ("manage.py", "migrate"),
        ("manage.py", "check"),
        ("manage.py", "no_such_command"),
        ("-m", "clave.operations.launcher"),
        WEB,
    ],
)
def test_whatever_is_started_ends_with_the_lines_and_no_traceback(tmp_path: Path, command: tuple[str, ...]) -> None:
    environ = {**GOOD, "CLAVE_TRUSTED_PROXIES": "0", "PORT": str(free_port()), "CLAVE_WORKERS": "1"}
    result = start(tmp_path, *command, **environ)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert len(lines_of(result)) == 1


@pytest.mark.abuse(81)
def test_the_web_server_alone_ends_with_the_lines_and_no_traceback(tmp_path: Path) -> None:
    server = ("-m", "granian", "--interface", "wsgi", "clave.config.wsgi:application", "--port", str(free_port()))
    result = start(tmp_path, *server, "--workers", "1", **{**GOOD, "CLAVE_TRUSTED_PROXIES": "0"})
    assert result.returncode != 0 and "Traceback" not in result.stderr and len(lines_of(result)) == 1


@pytest.mark.abuse(81)
def test_a_start_warns_of_what_is_unwise_in_a_line_each(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    plain = {**GOOD, "SII_URL": "http://sii.example.cl", "EMAIL_HOST": "mx.example.cl", "EMAIL_HOST_PASSWORD": "x"}
    named = ["SMS_GATEWAY_URL: missing", "CLAVE_MAIL_FROM: missing", "INSTITUTION_P12: missing", "CLAMD_URL: missing"]
    named += ["EMAIL_USE_TLS: off", "SII_URL: is http://", "CLAVE_HOME: other users"]
    result = start(tmp_path, "manage.py", "prepare", **plain)
    assert result.returncode == 0
    warned = [line for line in result.stderr.splitlines() if "settings.unwise" in line]
    assert len(warned) == len(named) and all(text in line for text, line in zip(named, warned, strict=True))


@pytest.mark.abuse(81)
def test_a_wise_start_and_a_demo_warn_of_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    file = tmp_path / "its-own.p12"
    file.write_bytes(paper._self_signed(b"its password"))
    institution = {"INSTITUTION_P12": str(file), "INSTITUTION_P12_PASSWORD": "its password"}
    assert "settings.unwise" not in start(tmp_path, "manage.py", "prepare", **GOOD, **WISE, **institution).stderr
    assert "settings.unwise" not in start(tmp_path / "demo", "manage.py", "prepare", CLAVE_DEMO="1").stderr
