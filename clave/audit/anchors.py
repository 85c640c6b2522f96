"""Anchors: seals copied outside the database, so that truncating the chain is detected.

Each machine's worker appends to its own file, one line per seal: number and HMAC. Files from several machines can be
merged in any order; duplicate lines are harmless.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from clave.audit.models import Seal

Anchor = tuple[int, str]
_LINE = re.compile(r"(\d{1,18}) ([0-9a-f]{64})")
_MAX_LINE_BYTES = 18 + 1 + 64 + 1


def own_file() -> Path:
    """Return the file that this machine's workers append to."""
    return Path(settings.CLAVE_HOME) / "audit-anchor.txt"


def default_files() -> list[Path]:
    """Return this machine's file, and copies of other machines' files next to it (`audit-anchor*.txt`)."""
    return sorted(Path(settings.CLAVE_HOME).glob("audit-anchor*.txt"))


def files_in(places: Iterable[Path]) -> list[Path]:
    """Return the given files, and every .txt file in the given directories. Raises `FileNotFoundError`."""
    files: list[Path] = []
    for path in places:
        if not path.exists():
            raise FileNotFoundError(path)
        files += sorted(path.glob("*.txt")) if path.is_dir() else [path]
    return files


def read(files: Iterable[Path]) -> tuple[set[Anchor], int]:
    """Return the seals recorded in these files, and how many lines are unreadable (truncated, for instance)."""
    noted, unreadable = set(), 0
    for file in files:
        for line in file.read_text(encoding="ascii", errors="replace").splitlines():
            if match := _LINE.fullmatch(line.strip()):
                noted.add((int(match[1]), match[2]))
            elif line.strip():
                unreadable += 1
    return noted, unreadable


def note(seal: Seal) -> None:
    """Append a seal to this machine's file, unless it is already the last line."""
    line = f"{seal.pk} {seal.mac}\n".encode()
    with own_file().open("a+b") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _MAX_LINE_BYTES))
        tail = file.read()
        if tail.endswith(line) and tail[: -len(line)][-1:] in (b"", b"\n"):
            return
        # Keep a truncated line (a full disk, for instance) on a line of its own.
        file.write(line if not tail or tail.endswith(b"\n") else b"\n" + line)
