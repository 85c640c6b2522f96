"""Asks both providers the same, prints where they differ; ends with 1 at a difference that nobody has explained."""

import os
import sys
import tempfile
from pathlib import Path

from tests.interop.oracle.questions import KNOWN, QUESTIONS
from tests.interop.oracle.shapes import shape
from tests.interop.oracle.sides import clave, installed, oracle


def main() -> int:
    environment = installed(Path(os.environ.get("CLAVE_ORACLE", "var/oracle")).absolute())
    temporary = tempfile.TemporaryDirectory(prefix="clave-oracle-")
    with temporary as home, clave(Path(home)) as ours, oracle(environment) as theirs:
        answers = {name: (shape(ask(ours)), shape(ask(theirs))) for name, ask in QUESTIONS.items()}
    differing = {name: pair for name, pair in answers.items() if pair[0] != pair[1]}
    for name, (our, their) in differing.items():
        print(f"{name}\n    Clave:  {our}\n    oracle: {their}\n    why:    {KNOWN.get(name, '?')}")
    wrong = sorted(differing.keys() ^ KNOWN.keys())
    print(f"{len(QUESTIONS)} questions, {len(QUESTIONS) - len(differing)} answered alike, {len(differing)} otherwise")
    print("".join(f"not as written down: {name}\n" for name in wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
