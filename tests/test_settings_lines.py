"""A wrong value ends a start with one plain line, whoever reads it; the secret key is changed machine by machine."""

from pathlib import Path
from typing import Any

import pytest

from clave.audit import seals
from clave.audit import service as audit
from clave.audit.verification import verify
from clave.holders.models import Holder
from clave.lib.request_context import SYSTEM
from clave.operations.launcher import free_port
from clave.sandbox.courses import CAMILA
from clave.statements import paper
from tests.story import Visitor
from tests.test_guard import GOOD, lines_of, start

pytestmark = pytest.mark.slow

OTHER_KEY = "7hQm" * 5 + "bT2x_Yp9-KdW5rLc8VnZ3sJf6GaE1uMo"
LAUNCHER = ("-m", "clave.operations.launcher")
PREPARE = ("manage.py", "prepare")
CHECK = ("manage.py", "check")


def only_line(home: Path, command: tuple[str, ...], **change: str) -> str:
    result = start(home, *command, **{**GOOD, "PORT": str(free_port()), "CLAVE_WORKERS": "1", **change})
    assert result.returncode == 1 and "Traceback" not in result.stderr, result.stderr
    (line,) = lines_of(result)
    return line


@pytest.mark.abuse(81)
@pytest.mark.parametrize(
    ("change", "begins"),
    [
        ({"PORT": "abc"}, "PORT=abc: must be a whole number"),
        ({"PORT": "99999"}, "PORT=99999: must be a whole number, from 1 to 65535"),
        ({"CLAVE_WORKERS": "abc"}, "CLAVE_WORKERS=abc:"),
        ({"CLAVE_DRAIN_SECONDS": "abc"}, "CLAVE_DRAIN_SECONDS=abc: must be a number of seconds"),
        ({"CLAVE_DRAIN_SECONDS": "nan"}, "CLAVE_DRAIN_SECONDS=nan:"),
        ({"CLAVE_DRAIN_SECONDS": "inf"}, "CLAVE_DRAIN_SECONDS=inf:"),
        ({"CLAVE_DRAIN_SECONDS": "-5"}, "CLAVE_DRAIN_SECONDS=-5:"),
        ({"CLAVE_LOG_LEVEL": "LOUD"}, "CLAVE_LOG_LEVEL=LOUD: use INFO or DEBUG"),
        ({"SMS_GATEWAY_URL": "http://[x"}, "SMS_GATEWAY_URL:"),
        ({"DATABASE_URL": "sqlite:////nonexistent/x"}, "DATABASE_URL: the folder"),
        ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL: must name a file"),
    ],
)
@pytest.mark.storeless
def test_the_launcher_ends_with_one_line(tmp_path: Path, change: dict[str, str], begins: str) -> None:
    assert only_line(tmp_path, LAUNCHER, **change).startswith(begins)


@pytest.mark.abuse(81)
@pytest.mark.storeless
def test_an_empty_number_is_the_usual_one_for_the_launcher_too(tmp_path: Path) -> None:
    line = only_line(tmp_path, LAUNCHER, CLAVE_WORKERS="", PORT="", CLAVE_DRAIN_SECONDS="", SII_URL="")
    assert line == "SII_URL: missing"


@pytest.mark.abuse(81)
@pytest.mark.parametrize(
    ("change", "begins"),
    [
        ({"CLAVE_URL": "https://[bad"}, "CLAVE_URL: must be a whole address"),
        ({"CLAVE_URL": "https://clave.example.cl:abc"}, "CLAVE_URL: must be a whole address"),
        ({"CLAVE_URL": "https://"}, "CLAVE_URL: must be a whole address"),
        ({"SII_URL": "https://[x"}, "SII_URL:"),
        ({"SII_URL": "nonsense"}, "SII_URL: must be a whole address that begins with http:// or https://"),
        ({"REGISTRO_CIVIL_URL": "file:///etc/passwd"}, "REGISTRO_CIVIL_URL:"),
        ({"CLAMD_URL": "tcp://[x"}, "CLAMD_URL:"),
        ({"VAULT_S3_BUCKET": "x", "VAULT_S3_ENDPOINT": "nonsense"}, "VAULT_S3_ENDPOINT:"),
        ({"CACHE_URL": "nonsense"}, "CACHE_URL: must be a whole address that begins with redis://"),
        ({"CACHE_URL": "redis://h:abc"}, "CACHE_URL:"),
        ({"DATABASE_URL": "postgres://u@h:port/x", "CACHE_URL": "redis://h"}, "DATABASE_URL: must be a whole address"),
        ({"CLAVE_DRAIN_SECONDS": "soon"}, "CLAVE_DRAIN_SECONDS=soon:"),
        ({"CLAVE_LOG_LEVEL": "LOUD"}, "CLAVE_LOG_LEVEL=LOUD:"),
        ({"EMAIL_PORT": "99999"}, "EMAIL_PORT=99999:"),
        ({"EMAIL_USE_TLS": "yes"}, "EMAIL_USE_TLS=yes: use 1 or 0"),
        ({"CLAVE_DEBUG": "true"}, "CLAVE_DEBUG=true: use 1 or 0"),
        ({"CLAVE_DEMO": "yes"}, "CLAVE_DEMO=yes: use 1 or 0"),
        ({"ARGON2_MEMORY_KIB": "4000000000"}, "ARGON2_MEMORY_KIB=4000000000:"),
        ({"STATEMENT_PERCENT": "101"}, "STATEMENT_PERCENT=101: must be a whole number, from 1 to 100"),
        ({"RETENTION_DAYS": "attendance=1"}, "RETENTION_DAYS: attendance must be kept"),
        ({"METRICS_ALLOW": "0.0.0.0/1,128.0.0.0/1"}, "METRICS_ALLOW: lets strangers"),
        ({"METRICS_ALLOW": "::/1"}, "METRICS_ALLOW: lets strangers"),
    ],
)
@pytest.mark.storeless
def test_a_command_ends_with_one_line(tmp_path: Path, change: dict[str, str], begins: str) -> None:
    assert only_line(tmp_path, CHECK, **change).startswith(begins)


@pytest.mark.abuse(81)
@pytest.mark.storeless
def test_a_line_quotes_no_address_for_it_may_hold_a_password(tmp_path: Path) -> None:
    assert "canary" not in only_line(tmp_path, CHECK, DATABASE_URL="postgres://u:canary@h:x/y", CACHE_URL="redis://h")
    assert "canary" not in only_line(tmp_path, CHECK, CACHE_URL="redis://u:canary@h:x")


@pytest.mark.abuse(81)
@pytest.mark.storeless
def test_what_is_right_is_taken(tmp_path: Path) -> None:
    right = {
        "CACHE_URL": "redis://127.0.0.1:1/0,rediss://u:p@cache.example.cl",
        "CLAMD_URL": "unix:///run/clamd.sock",
        "CLAVE_DRAIN_SECONDS": "0.5",
        "CLAVE_LOG_LEVEL": "ERROR",
        "DATABASE_URL": f"sqlite:///{tmp_path}/other.sqlite3",
        "EMAIL_USE_TLS": "",
        "METRICS_ALLOW": "10.0.0.0/8, fc00::/7",
        "RETENTION_DAYS": "operator_actions=365,attendance=2200",
        "CLAVE_SECRET_KEY_FALLBACKS": OTHER_KEY,
    }
    result = start(tmp_path, *CHECK, **{**GOOD, **right})
    assert result.returncode == 0, result.stderr


@pytest.mark.abuse(81, 82)
@pytest.mark.parametrize(
    ("change", "begins"),
    [
        ({"CLAVE_SECRET_KEY": f"{OTHER_KEY[:30]},{OTHER_KEY[30:]}"}, "CLAVE_SECRET_KEY: must have no comma"),
        ({"CLAVE_SECRET_KEY": f"{OTHER_KEY} "}, "CLAVE_SECRET_KEY: must have no comma"),
        ({"CLAVE_SECRET_KEY": f" {OTHER_KEY}"}, "CLAVE_SECRET_KEY: must have no comma"),
        ({"CLAVE_SECRET_KEY_FALLBACKS": "short"}, "CLAVE_SECRET_KEY_FALLBACKS: one of them is no secret key"),
        ({"CLAVE_SECRET_KEY_FALLBACKS": f"{OTHER_KEY},{'x' * 60}"}, "CLAVE_SECRET_KEY_FALLBACKS: one of them"),
        ({"CLAVE_SECRET_KEY_FALLBACKS": GOOD["CLAVE_SECRET_KEY"]}, "CLAVE_SECRET_KEY_FALLBACKS: names"),
    ],
)
@pytest.mark.storeless
def test_a_key_that_could_not_be_changed_later_and_a_fallback_that_is_none_are_refused(
    tmp_path: Path, change: dict[str, str], begins: str
) -> None:
    assert only_line(tmp_path, CHECK, **change).startswith(begins)


@pytest.mark.abuse(81)
@pytest.mark.storeless
def test_a_start_warns_of_an_institutions_file_that_does_not_open(tmp_path: Path) -> None:
    file = tmp_path / "institution.p12"
    wrong = "INSTITUTION_P12: no PKCS #12 file"
    named = {**GOOD, "INSTITUTION_P12": str(file), "INSTITUTION_P12_PASSWORD": "right"}
    assert wrong in start(tmp_path, *PREPARE, **named).stderr
    file.write_bytes(paper._self_signed(b"right"))
    assert wrong in start(tmp_path, *PREPARE, **{**named, "INSTITUTION_P12_PASSWORD": "other"}).stderr
    result = start(tmp_path, *PREPARE, **named)
    assert result.returncode == 0 and "INSTITUTION_P12" not in result.stderr


@pytest.mark.abuse(82)
def test_a_machine_reads_and_seals_after_one_that_has_changed_the_two_keys_over(demo: None, settings: Any) -> None:
    def machine(present: str, fallback: str) -> None:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = present, [fallback]
        audit.record("test.one", SYSTEM)
        seals.seal_new()

    old = settings.SECRET_KEY
    visitor = Visitor()
    machine(old, OTHER_KEY)
    visitor.sign_in(CAMILA, "KM482915")
    machine(OTHER_KEY, old)
    person = Holder.objects.get(identifier=CAMILA)
    person.save()
    assert visitor.open("/mi-cuenta").url == "/mi-cuenta"
    paper._institution()
    machine(old, OTHER_KEY)
    assert Holder.objects.get(identifier=CAMILA).mobile == person.mobile != ""
    assert visitor.open("/mi-cuenta").url == "/mi-cuenta"
    Visitor().sign_in(CAMILA, "KM482915")
    paper._institution()
    machine(OTHER_KEY, old)
    settings.SECRET_KEY_FALLBACKS = []
    verdict = verify()
    assert verdict.is_intact and len(verdict.events) == 3
