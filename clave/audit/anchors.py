"""Seals noted outside the database, so that cutting off the end of the chain is seen.

Each machine's worker appends to a file of its own, one line a seal: its number and its HMAC. The lines of several files
can be put together in any order; the same line twice says nothing new.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from clave.audit.models import Seal

Anchor = tuple[int, str]
_LINE = re.compile(r"(\d{1,18}) ([0-9a-f]{64})")
_LONGEST_LINE = 18 + 1 + 64 + 1


def own_file() -> Path:
    """Return the file to which this machine's workers append."""
    return Path(settings.CLAVE_HOME) / "audit-anchor.txt"


def default_files() -> list[Path]:
    """Return this machine's file and the copies of others' that lie beside it as `audit-anchor*.txt`."""
    return sorted(Path(settings.CLAVE_HOME).glob("audit-anchor*.txt"))


def files_in(places: Iterable[Path]) -> list[Path]:
    """Return the given files, and every .txt file in the given folders. Raises `FileNotFoundError`."""
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise FileNotFoundError(place)
        found += sorted(place.glob("*.txt")) if place.is_dir() else [place]
    return found


def read(files: Iterable[Path]) -> tuple[set[Anchor], int]:
    """Return the seals noted in these files, and how many lines could not be read (half written, say)."""
    noted, unreadable = set(), 0
    for file in files:
        for line in file.read_text(encoding="ascii", errors="replace").splitlines():
            if match := _LINE.fullmatch(line.strip()):
                noted.add((int(match[1]), match[2]))
            elif line.strip():
                unreadable += 1
    return noted, unreadable


def note(seal: Seal) -> None:
    """Append a seal to this machine's file, unless it is the one noted last."""
    line = f"{seal.pk} {seal.mac}\n".encode()
    with own_file().open("a+b") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _LONGEST_LINE))
        end = file.read()
        if end.endswith(line) and end[: -len(line)][-1:] in (b"", b"\n"):
            return
        # A line that was cut off, by a full disk perhaps, stays a line of its own.
        file.write(line if not end or end.endswith(b"\n") else b"\n" + line)
