"""Runs the suite on both stores, one after the other, and adds up what passed and failed."""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests import postgres


def suite(store: str, words: list[str], environ: dict[str, str]) -> tuple[int, int, bool]:
    """Run pytest on one store. Returns how many tests passed and failed, and whether pytest itself was content."""
    print(f"\n== {store}", flush=True)
    with tempfile.TemporaryDirectory(prefix="clave-test-") as folder:
        report = Path(folder) / "report.xml"
        home = Path(folder) / "home"
        command = [sys.executable, "-m", "pytest", f"--junitxml={report}", "--durations=5", *words]
        done = subprocess.run(command, env={**os.environ, **environ, "CLAVE_HOME": str(home)})
        if not report.exists():
            return 0, 1, False
        counts = ElementTree.parse(report).getroot()[0].attrib
    failed = int(counts["failures"]) + int(counts["errors"])
    return int(counts["tests"]) - failed - int(counts["skipped"]), failed, done.returncode == 0


def main() -> int:
    words = sys.argv[1:]
    results = [suite("SQLite", words, {"DATABASE_URL": ""})]
    with postgres.running("-c fsync=off") as url:
        results.append(suite("PostgreSQL", words, {"DATABASE_URL": url}))
    passed, failed = sum(result[0] for result in results), sum(result[1] for result in results)
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 0 if passed and all(result[2] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
