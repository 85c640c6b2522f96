"""What strangers meet at the edge: names of hosts, figures, helpers and what they know."""

import ast
import json
import os
from pathlib import Path

import pytest

from clave.core import helper

ROOT = Path(__file__).parents[1]
LAUNCHERS = ("clave/serve.py", "clave/operations/")


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
        monkeypatch.setenv(name, "canary-of-the-house")
    monkeypatch.setenv("SOMETHING_NEW", "canary-of-the-house")
    with (ROOT / "pyproject.toml").open() as opened:
        os.set_inheritable(opened.fileno(), True)
        seen = json.loads(helper.run("tests.printing_environ", content=b"", timeout=30).stdout)
    assert "canary-of-the-house" not in str(seen["environ"]) and not set(secrets) & set(seen["environ"])
    assert "PATH" in seen["environ"]
    # Its three streams, and the folder it lists them from.
    assert len(seen["descriptors"]) == 4


@pytest.mark.abuse(74)
def test_no_module_starts_a_process_but_through_the_helper() -> None:
    """What the launcher starts is the house itself and must know its settings."""
    starting = set()
    for file in (ROOT / "clave").rglob("*.py"):
        name = str(file.relative_to(ROOT))
        if "/tests/" not in name and not name.startswith(LAUNCHERS) and "subprocess" in imported_by(file):
            starting.add(name)
    assert starting == {"clave/core/helper.py"}


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
        helper.run("http.server", "0", content=b"", timeout=0.5)
