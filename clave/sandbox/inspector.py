"""Protocol inspector: recorded exchanges and what decided them, forced codes, clock control, demo reset."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from clave.lib import clock
from clave.rce.checks import CHECKS
from clave.rce.replies import Answer
from clave.rce.request import RceRequest
from clave.training.tokens import digest

KEPT = 60
# Lines are appended to one file until it is full; it then replaces the older file.
LINES, OLDER, MOST_BYTES = "inspector.jsonl", "inspector-older.jsonl", 1 << 20
_NAMES = {code: passes.__name__ for code, passes in CHECKS}
_cached_offset: tuple[int, float] = (0, 0.0)


def _file(name: str) -> Path:
    return Path(f"{settings.CLAVE_HOME}/{name}")


def note(pending: str, request: RceRequest, answer: Answer | None) -> None:
    """Record a request or its response as one line, with only the last characters of the token."""
    fields = {**request.fields, "Token": f"…{request['Token'][-4:]}"}
    line = {
        "at": clock.now().isoformat(timespec="seconds"),
        "id": pending,
        "endpoint": "CerrarSesion" if request.closing else "IniciarSesion",
        "environment": request.environment,
        "fields": fields,
        "answer": answer,
    }
    # A single append: other processes write to this file too.
    with open(f"{settings.CLAVE_HOME}/{LINES}", "ab", buffering=0) as file:  # noqa: PTH123 (runs on every request)
        file.write(json.dumps(line).encode() + b"\n")
        full = file.tell() > MOST_BYTES
    if full:
        with suppress(FileNotFoundError):  # another process has just rotated it
            _file(LINES).replace(_file(OLDER))


def _lines(name: str) -> list[str]:
    try:
        return _file(name).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def exchanges() -> list[dict[str, object]]:
    """Return the last exchanges, newest first, each with what decided it."""
    lines = (_lines(OLDER) + _lines(LINES))[-KEPT * 2 :]
    by_key: dict[str, dict[str, object]] = {}
    for index, text in enumerate(lines):
        line = json.loads(text)
        key = line["id"] or f"#{index}"
        by_key[key] = {**by_key.get(key, line), "answer": line["answer"], "decided": _decided(line["answer"])}
    return list(reversed(by_key.values()))[:KEPT]


def _decided(answer: Answer | None) -> str:
    if answer is None:
        return "sign-in"
    code = dict(answer["fields"]).get("GlosaError", "").split(";")[0]
    return _NAMES.get(int(code), "sign-in") if code else "all checks passed"


@contextmanager
def _forced_codes() -> Iterator[dict[str, list[int]]]:
    """Yield the forced codes for modification, holding an exclusive lock on them."""
    with _file("inspector-wishes.json").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        forced = json.loads(file.read() or "{}")
        yield forced
        file.seek(0)
        file.truncate()
        file.write(json.dumps(forced))


def wish(token: str, code: int, times: int) -> None:
    """Make the next `times` requests with this token be answered with `code`."""
    with _forced_codes() as forced:
        forced[digest(token)] = [code, times]


def wished(request: RceRequest) -> int | None:
    """Return the code forced for this request's token, if any, and decrement its counter."""
    if not os.path.exists(f"{settings.CLAVE_HOME}/inspector-wishes.json"):  # noqa: PTH110 (runs on every request)
        return None
    with _forced_codes() as forced:
        code, times = forced.get(digest(request["Token"]), (0, 0))
        if times > 0:
            forced[digest(request["Token"])] = [code, times - 1]
        return code if times > 0 else None


def move_clock(seconds: float) -> None:
    """Shift the clock of all processes of this demo; 0 resets it."""
    _file("clock-offset").write_text(str(seconds))


def moved() -> float:
    """Return by how many seconds the demo's clock has been shifted."""
    global _cached_offset
    try:
        stamp = os.stat(f"{settings.CLAVE_HOME}/clock-offset").st_mtime_ns  # noqa: PTH116 (runs on every clock access)
    except FileNotFoundError:
        return 0.0
    if stamp != _cached_offset[0]:
        _cached_offset = (stamp, float(_file("clock-offset").read_text() or 0))
    return _cached_offset[1]


def ahead() -> float:
    """Return the demo clock's total offset in seconds: the configured one plus later shifts."""
    return settings.CLAVE_NOW_OFFSET + moved()
