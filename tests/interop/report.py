"""Shows what became of each client, as a table and as docs/interop.md."""

import textwrap
from datetime import date
from pathlib import Path

from tests.interop.run import Results
from tests.interop.story import STEPS

PAGE = Path(__file__).parents[2] / "docs" / "interop.md"
INTRODUCTION = """\
# Clients that sign in with Clave

`script/interop` installs real, unmodified libraries and products at pinned versions, each in a
sample application of a few dozen lines (`tests/interop/`), and takes a browser through all of them:
sign in and consent, read userinfo, refresh, sign in again when Clave signs with a new key, log out
of the application and of Clave. This page is written by it.

"""


def table(results: Results) -> str:
    """Return a Markdown table of the results."""
    lines = [["client", "version", "language", *STEPS], ["---"] * (3 + len(STEPS))]
    for client, steps in results.items():
        words = [_word(steps.get(step, "")) for step in STEPS]
        lines.append([client.name, client.version(), client.language, *words])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _word(result: str) -> str:
    return {"passed": "yes", "-": "-", "": "not reached"}.get(result, "FAILED")


def failures(results: Results) -> list[str]:
    """Return a line for each step that failed, and for each client that did not get to its end."""
    return [
        f"{client.name}, {step}: {result}"
        for client, steps in results.items()
        for step, result in steps.items()
        if result not in ("passed", "-")
    ]


def write(results: Results) -> None:
    """Write docs/interop.md."""
    text = f"{INTRODUCTION}{table(results)}\n\nRun on {date.today()}. «-»: not asked of this client.\n\n"
    for client in results:
        words = [f"{step}: {reason}" for step, reason in client.without.items()]
        words += [client.remark] if client.remark else []
        if words:
            bullet = f"- **{client.name}**: {'; '.join(words)}."
            text += textwrap.fill(bullet, 100, subsequent_indent="  ", break_on_hyphens=False) + "\n"
    PAGE.write_text(text, encoding="utf-8")
