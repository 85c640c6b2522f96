"""npm's oidc-provider, to be measured beside Clave in the same run."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clave.operations.launcher import free_port

SOURCE = Path(__file__).parent / "oidc-provider"


@dataclass(frozen=True)
class NpmProvider:
    """A running one: where it listens, its process, and what it made for the load generator."""

    url: str
    pid: int
    made: dict[str, str | list[str]]


@contextmanager
def running(folder: Path, at_once: int) -> Iterator[NpmProvider | None]:
    """Install and run it in `folder`; None where there is no Node.js."""
    if not shutil.which("npm"):
        yield None
        return
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True)
    port = free_port()
    environ = {**os.environ, "PORT": str(port), "AT_ONCE": str(at_once), "NODE_ENV": "production"}
    with subprocess.Popen(
        ["node", "server.mjs"], cwd=folder, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield NpmProvider(f"http://127.0.0.1:{port}", process.pid, _first_json(process))
        finally:
            process.terminate()


def _first_json(process: "subprocess.Popen[str]") -> dict[str, str | list[str]]:
    """Return the line that says what was made; the library warns of its defaults before."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.stdout and (line := process.stdout.readline()):
        if line.startswith("{"):
            return dict(json.loads(line))
    raise RuntimeError("oidc-provider did not start")
