"""A private Redis (or Valkey): own port, nothing kept, gone afterwards."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import create_connection

from clave.operations.launcher import free_port


@dataclass(frozen=True)
class Cache:
    """A running cache server: its CACHE_URL and its process."""

    url: str
    process: subprocess.Popen[bytes]

    def die(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running() -> Iterator[Cache]:
    """Yield a cache server that listens on the loopback address while the block runs."""
    port = free_port()
    program = shutil.which("valkey-server") or "redis-server"
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, cwd="/")
    try:
        _listening(port)
        yield Cache(f"redis://127.0.0.1:{port}/0", process)
    finally:
        process.kill()
        process.wait()


def _listening(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
