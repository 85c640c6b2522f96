"""A real S3-compatible server, for as long as a test needs it: rclone serving a folder."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from clave.operations.launcher import free_port

KEY, SECRET, BUCKET = "vault-key", "vault-secret-0001", "vault"  # pragma: allowlist secret


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Yield the address of a server with one empty bucket, kept in `folder`."""
    (folder / BUCKET).mkdir(parents=True)
    port = free_port()
    command = [str(Path(sys.executable).parent / "rclone"), "serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}"]
    environ = {**os.environ, "RCLONE_CONFIG": "/dev/null"}
    process = subprocess.Popen(
        [*command, "--auth-key", f"{KEY},{SECRET}"], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                httpx.get(url, timeout=1)
                break
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)
