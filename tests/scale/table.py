"""How measurements are printed: as tables in Markdown."""

import os

SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))


def row(name: str, value: str, goal: str = "", note: str = "") -> None:
    print(f"| {name} | {value} | {goal} | {note} |", flush=True)


def title(text: str) -> None:
    print(f"\n### {text}\n\n| figure | measured | goal | note |\n|---|---|---|---|", flush=True)
