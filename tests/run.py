"""Runs the suite on both stores, or what the words given choose on SQLite, and adds up what passed and failed."""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from tests import postgres

POSTGRES = "--postgres"  # also on PostgreSQL
AT_ONCE = 2  # parts that run beside each other, a core for each


class Part(NamedTuple):
    """Some of the tests on one store."""

    name: str
    words: list[str]
    environ: dict[str, str]


class Result(NamedTuple):
    passed: int
    failed: int
    content: bool  # whether pytest itself was


def run(part: Part, *, aside: bool = False) -> Result:
    """Run pytest on a part. What runs aside, beside another, is printed when it is over."""
    with tempfile.TemporaryDirectory(prefix="clave-test-") as folder:
        report = Path(folder) / "report.xml"
        environ = {**os.environ, **part.environ, "CLAVE_HOME": str(Path(folder) / "home")}
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", "--durations=5", *part.words]
        kept: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} if aside else {}
        if not aside:
            print(f"\n== {part.name}", flush=True)
        began = time.monotonic()
        done = subprocess.run(command, env=environ, **kept)
        if aside:
            print(f"\n== {part.name}, {time.monotonic() - began:.0f} s\n{done.stdout}", flush=True)
        if not report.exists():
            return Result(0, 1, content=False)
        counts = ElementTree.parse(report).getroot()[0].attrib
    failed = int(counts["failures"]) + int(counts["errors"])
    return Result(int(counts["tests"]) - failed - int(counts["skipped"]), failed, content=done.returncode == 0)


def everything(stores: dict[str, dict[str, str]]) -> list[Result]:
    """Run all there is: side by side what may be, then what needs the machine for itself."""
    chosen = {"SQLite": "not alone", "PostgreSQL": "not alone and not storeless"}
    rest = [Part(store, ["--ignore=tests/browser", "-m", chosen[store]], at) for store, at in stores.items()]
    # What a browser shows does not depend on the store: each walk once, old phones on the one, desks on the other.
    walks = {"SQLite": "phone", "PostgreSQL": "not phone"}
    browser = [Part(f"{store}, browser", ["tests/browser", "-k", walks[store]], at) for store, at in stores.items()]
    # The longer parts first: whichever store is done earlier goes on with the browser.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda part: run(part, aside=True), [*rest, *browser]))
    return results + [run(Part(f"{store}, alone", ["-m", "alone"], at)) for store, at in stores.items()]


def main() -> int:
    words = [word for word in sys.argv[1:] if word != POSTGRES]
    without_words = len(sys.argv) == 1
    stores = {"SQLite": {"DATABASE_URL": ""}}
    with ExitStack() as stack:
        if without_words or POSTGRES in sys.argv:
            url = stack.enter_context(postgres.running("-c fsync=off"))
            stores["PostgreSQL"] = {"DATABASE_URL": url}
        parts = [Part(store, words, at) for store, at in stores.items()]
        results = everything(stores) if without_words else [run(part) for part in parts]
    passed, failed = sum(result.passed for result in results), sum(result.failed for result in results)
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 0 if passed and all(result.content for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
