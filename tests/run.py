"""Runs the suite on both stores, or what the words given choose on SQLite, and adds up what passed and failed."""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests import postgres

POSTGRES = "--postgres"  # also on PostgreSQL


def suite(store: str, words: list[str], environ: dict[str, str], *, aside: bool = False) -> tuple[int, int, bool]:
    """Run pytest on one store. Returns how many tests passed and failed, and whether pytest itself was content."""
    with tempfile.TemporaryDirectory(prefix="clave-test-") as folder:
        report = Path(folder) / "report.xml"
        home = Path(folder) / "home"
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", "--durations=5", *words]
        # What runs beside another is printed when it is over.
        kept: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} if aside else {}
        if not aside:
            print(f"\n== {store}", flush=True)
        done = subprocess.run(command, env={**os.environ, **environ, "CLAVE_HOME": str(home)}, **kept)
        if aside:
            print(f"\n== {store}\n{done.stdout}", flush=True)
        if not report.exists():
            return 0, 1, False
        counts = ElementTree.parse(report).getroot()[0].attrib
    failed = int(counts["failures"]) + int(counts["errors"])
    return int(counts["tests"]) - failed - int(counts["skipped"]), failed, done.returncode == 0


def side_by_side(stores: dict[str, dict[str, str]]) -> list[tuple[int, int, bool]]:
    """Run the stores beside each other, a core for each: first all that needs no browser, then the browser."""

    def of(name: str) -> list[tuple[int, int, bool]]:
        environ = stores[name]
        rest = suite(name, ["--ignore=tests/browser", "-m", "not alone"], environ, aside=True)
        return [rest, suite(f"{name}, browser", ["tests/browser"], environ, aside=True)]

    with ThreadPoolExecutor() as pool:
        return [result for results in pool.map(of, stores) for result in results]


def main() -> int:
    words = [word for word in sys.argv[1:] if word != POSTGRES]
    everything = len(sys.argv) == 1
    stores = {"SQLite": {"DATABASE_URL": ""}}
    with ExitStack() as stack:
        if everything or POSTGRES in sys.argv:
            url = stack.enter_context(postgres.running("-c fsync=off"))
            stores["PostgreSQL"] = {"DATABASE_URL": url}
        if everything:
            results = side_by_side(stores)
            results += [suite(f"{name}, alone", ["-m", "alone"], environ) for name, environ in stores.items()]
        else:
            results = [suite(name, words, environ) for name, environ in stores.items()]
    passed, failed = sum(result[0] for result in results), sum(result[1] for result in results)
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 0 if passed and all(result[2] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
