"""The protocol inspector: what came, what decided and was answered; codes on demand; the clock; starting over."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from clave.lib import clock
from clave.rce.checks import CHECKS
from clave.rce.replies import Answer
from clave.rce.request import RceRequest
from clave.training.tokens import digest

KEPT = 60
# Lines go to one file until it is full; then it becomes the older one, and the older one is gone.
LINES, OLDER, MOST_BYTES = "inspector.jsonl", "inspector-older.jsonl", 1 << 20
_NAMES = {code: passes.__name__ for code, passes in CHECKS}
_moved: tuple[int, float] = (0, 0.0)


def _file(name: str) -> Path:
    return Path(f"{settings.CLAVE_HOME}/{name}")


def note(pending: str, asked: RceRequest, answer: Answer | None) -> None:
    """Keep one line about a request or its answer; of the token only its end."""
    fields = {**asked.fields, "Token": f"…{asked['Token'][-4:]}"}
    line = {
        "at": clock.now().isoformat(timespec="seconds"),
        "id": pending,
        "endpoint": "CerrarSesion" if asked.closing else "IniciarSesion",
        "environment": asked.environment,
        "fields": fields,
        "answer": answer,
    }
    # One write, at the end wherever that is by then: other processes write here too.
    with open(f"{settings.CLAVE_HOME}/{LINES}", "ab", buffering=0) as file:  # noqa: PTH123 (at every request)
        file.write(json.dumps(line).encode() + b"\n")
        full = file.tell() > MOST_BYTES
    if full:
        with suppress(FileNotFoundError):  # another process has just done so
            _file(LINES).replace(_file(OLDER))


def _lines(name: str) -> list[str]:
    try:
        return _file(name).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def exchanges() -> list[dict[str, Any]]:
    """Return the last exchanges, newest first, each with what decided it."""
    lines = (_lines(OLDER) + _lines(LINES))[-KEPT * 2 :]
    found: dict[str, dict[str, Any]] = {}
    for place, text in enumerate(lines):
        line = json.loads(text)
        key = line["id"] or f"#{place}"
        found[key] = {**found.get(key, line), "answer": line["answer"], "decided": _decided(line["answer"])}
    return list(reversed(found.values()))[:KEPT]


def _decided(answer: Answer | None) -> str:
    if answer is None:
        return "sign-in"
    code = dict(answer["fields"]).get("GlosaError", "").split(";")[0]
    return _NAMES.get(int(code), "sign-in") if code else "all checks passed"


@contextmanager
def _wishes() -> Iterator[dict[str, Any]]:
    """Yield the wishes to change, while no other process does."""
    with _file("inspector-wishes.json").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        wishes = json.loads(file.read() or "{}")
        yield wishes
        file.seek(0)
        file.truncate()
        file.write(json.dumps(wishes))


def wish(token: str, code: int, times: int) -> None:
    """Answer `code` to the next `times` requests that come with this token."""
    with _wishes() as wishes:
        wishes[digest(token)] = [code, times]


def wished(asked: RceRequest) -> int | None:
    """Return the code wished for this request's token, and count it."""
    if not os.path.exists(f"{settings.CLAVE_HOME}/inspector-wishes.json"):  # noqa: PTH110 (at every request)
        return None
    with _wishes() as wishes:
        code, times = wishes.get(digest(asked["Token"]), (None, 0))
        if times > 0:
            wishes[digest(asked["Token"])] = [code, times - 1]
        return code if times > 0 else None


def move_clock(seconds: float) -> None:
    """Move the clock of all processes of this demo; 0 puts it right again."""
    _file("clock-offset").write_text(str(seconds))


def moved() -> float:
    """Return by how many seconds the demo's clock is moved."""
    global _moved
    try:
        stamp = os.stat(f"{settings.CLAVE_HOME}/clock-offset").st_mtime_ns  # noqa: PTH116 (asked at every look at the clock)
    except FileNotFoundError:
        return 0.0
    if stamp != _moved[0]:
        _moved = (stamp, float(_file("clock-offset").read_text() or 0))
    return _moved[1]


def ahead() -> float:
    """Return by how many seconds the demo's clock runs ahead: what it was started with, and moved since."""
    return settings.CLAVE_NOW_OFFSET + moved()
