"""Run one of our modules in a separate process, whose memory is released when it exits.

Such a process parses untrusted input (documents, workbooks). If it is compromised it must not yield any secret, so it
gets a minimal environment: no secret key, no database URL, no token (abuse case 74).
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[2]
# What an interpreter needs to start, plus the allocator settings.
_ALLOWED_VARIABLES = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "GLIBC_TUNABLES",
    "MALLOC_ARENA_MAX",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
)


def minimal_environment() -> dict[str, str]:
    """Return the part of our environment that a child process may see."""
    allowed = {name: os.environ[name] for name in _ALLOWED_VARIABLES if name in os.environ}
    return {**allowed, "PYTHONUTF8": "1"}


def run(
    module: str,
    *arguments: str,
    timeout: float,
    content: bytes | None = None,
    files: tuple[IO[str], IO[bytes]] | None = None,
) -> "subprocess.CompletedProcess[bytes]":
    """Run `python -m module` to completion with `content` on its standard input; its output is in the result.

    With `files`, it reads from the first and writes to the second instead. After `timeout` seconds it is killed: raises
    `TimeoutError`.
    """
    command = [sys.executable, "-m", module, *arguments]
    source, target = files or (None, subprocess.PIPE)
    try:
        return subprocess.run(
            command,
            input=content,
            stdin=source,
            stdout=target,
            stderr=subprocess.PIPE,
            env=minimal_environment(),
            cwd=_ROOT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{module} took more than {timeout:.0f} s") from None
