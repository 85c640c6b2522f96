"""Runs the clients named, or all of them, against a Clave of its own; of all of them it writes docs/interop.md."""

import sys
import tempfile
from pathlib import Path

from tests.interop import provider, report
from tests.interop.clients import CLIENTS
from tests.interop.run import run


def main() -> int:
    names = sys.argv[1:]
    unknown = set(names) - {client.name for client in CLIENTS}
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(client.name for client in CLIENTS)}")
        return 2
    chosen = [client for client in CLIENTS if not names or client.name in names]
    with tempfile.TemporaryDirectory(prefix="clave-interop-") as home, provider.running(Path(home)) as clave:
        results = run(clave, chosen)
    print(report.table(results))
    for line in report.failures(results):
        print(line)
    if not names:
        report.write(results)
    return 1 if report.failures(results) else 0


if __name__ == "__main__":
    sys.exit(main())
