"""For script/dev: runs the launcher and has it replace its processes (SIGHUP) whenever a file of clave/ changes."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from watchfiles import DefaultFilter, watch

ROOT = Path(__file__).parents[1]
# Error pages with their traceback; one web process, since each has to be replaced; no lines about what goes well.
USUAL = {"CLAVE_DEMO": "1", "CLAVE_DEBUG": "1", "CLAVE_WORKERS": "1", "CLAVE_LOG_LEVEL": "WARNING"}


class Sources(DefaultFilter):
    """All files but what programs leave behind; catalogues count when they are compiled."""

    def __call__(self, change: object, path: str) -> bool:
        return super().__call__(change, path) and not path.endswith(("~", ".mo"))


def compile_catalogue(source: Path) -> None:
    words = ["-i", str(source), "-o", str(source.with_suffix(".mo"))]
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", "compile", *words], check=False)


def main() -> int:
    # The launcher inherits that it is deaf to SIGHUP, until it listens itself.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    command = [sys.executable, "-m", "clave.operations.launcher"]
    launcher = subprocess.Popen(command, cwd=ROOT, env={**USUAL, **os.environ})
    signal.signal(signal.SIGTERM, lambda *_: launcher.terminate())
    options: dict[str, Any] = {"rust_timeout": 500, "yield_on_timeout": True, "raise_interrupt": False}
    for changes in watch(ROOT / "clave", watch_filter=Sources(), **options):
        if launcher.poll() is not None:
            break
        changed = sorted({Path(path) for _, path in changes})
        for file in changed:
            print(f"{file.relative_to(ROOT)} changed: on the page in a few seconds", flush=True)
            if file.suffix == ".po" and file.exists():
                compile_catalogue(file)
        if changed:
            launcher.send_signal(signal.SIGHUP)
    return launcher.wait()


if __name__ == "__main__":
    sys.exit(main())
