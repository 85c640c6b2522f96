"""`script/server` stops whole: with Ctrl-C, with a polite signal, and as a background job of a shell."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from clave.operations.launcher import free_port
from tests.installation import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.storeless]

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_all_processes_end_though_the_shell_had_interrupts_ignored(tmp_path: Path, asked: signal.Signals) -> None:
    port = free_port()
    mine = {name: text for name, text in os.environ.items() if not name.startswith(("CLAVE", "DJANGO", "DATABASE"))}
    environ = {**mine, "CLAVE_HOME": str(tmp_path), "CLAVE_DEMO": "1", "PORT": str(port), "CLAVE_WORKERS": "1"}
    background = ["sh", "-c", f"trap '' INT; exec {sys.executable} -m clave.operations.launcher"]
    with subprocess.Popen(
        background, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as it:
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            assert children_of(it.pid)
            it.send_signal(asked)
            assert it.wait(15) == 0
        finally:
            it.kill()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz")
    deadline = time.monotonic() + 5
    while left := mentioning(str(tmp_path)):
        assert time.monotonic() < deadline, left


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def mentioning(text: str) -> list[str]:
    """Return the processes in whose environment this stands."""
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"CLAVE_HOME={text}\0" in each.read_text(encoding="utf-8", errors="replace"):
                found.append(each.parent.name)
        except OSError:
            continue
    return found
