"""Runs one of our modules in a process of its own, whose memory is given back when it ends.

A helper reads what strangers send (documents, workbooks). Whoever takes one over must find no secret in it, so it gets
an environment of its own: no secret key, no database address, no token (abuse case 74).
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[2]
# What an interpreter needs to start, and the allocator's settings.
_PASSED_ON = (
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
    """Return what a helper process may know of this one's environment."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed_on, "PYTHONUTF8": "1"}


def run(
    module: str,
    *arguments: str,
    timeout: float,
    content: bytes | None = None,
    files: tuple[IO[str], IO[bytes]] | None = None,
) -> "subprocess.CompletedProcess[bytes]":
    """Run `python -m module` to its end, with `content` as its standard input; its output is in what is returned.

    With `files` it reads the first and writes the second instead. After `timeout` seconds it is killed: raises
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
