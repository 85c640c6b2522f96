"""script/drill: breaks a site on both stores for minutes and prints what was lost."""

import sys

from tests.faults.breaking import Result, break_it


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    results = [break_it(store, seconds=minutes * 60, pause=2.5, enrolled=20_000) for store in ("SQLite", "PostgreSQL")]
    for result in results:
        _print(result)
    return 1 if any(result.problems for result in results) else 0


def _print(result: Result) -> None:
    print(f"\n## {result.store}\n\n| what | how often |\n|---|---|")
    for name, times in sorted(result.faults.items()):
        print(f"| {name} | {times} |")
    print(f"| people | {result.people} |")
    print(f"| acts acknowledged | {result.acknowledged} |")
    print(f"| acts left unanswered | {result.unanswered} |")
    print(f"| messages that arrived | {result.messages} |")
    print(f"| lost, done twice or not arrived | {len(result.problems)} |", flush=True)
    for problem in result.problems[:20]:
        print(f"\n- {problem}")


if __name__ == "__main__":
    sys.exit(main())
