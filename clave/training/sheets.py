"""Reading the tables that training bodies bring, as CSV or XLSX, and writing the ones they take away.

openpyxl is loaded only where a workbook is written, and in a process of its own where one is read.
"""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from clave.core.text import folded

_ROOT = Path(__file__).parents[2]
MOST_ROWS = 200_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Unreadable(ValueError):
    """The file is no table that can be read. `code` says why: `format`, `empty` or `rows`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def kind_of(content: bytes) -> str:
    """Return `xlsx` or `csv`, by content and not by name. Raises `Unreadable`."""
    if content[:4] == b"PK\x03\x04":
        return "xlsx"
    if not content.strip() or b"\0" in content[:4096]:
        raise Unreadable("format" if content.strip() else "empty")
    return "csv"


def plain(content: bytes) -> bytes:
    """Return a table as CSV; a workbook is read by a process of its own. Raises `Unreadable`."""
    if kind_of(content) == "csv":
        return content
    command = [sys.executable, "-m", "clave.training.xlsx"]
    environ = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, input=content, capture_output=True, env=environ, cwd=_ROOT, check=False)
    if done.returncode:
        raise Unreadable("format")
    return done.stdout or b"\n"


def rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, {column: text}) of every row of a CSV that is not blank; the first line names the columns.

    Column names come folded: without case, accents or outer spaces. Raises `Unreadable`.
    """
    header: list[str] = []
    for line, cells in enumerate(_from_csv(content), start=1):
        if not any(cells):
            continue
        if line > MOST_ROWS + 1:
            raise Unreadable("rows")
        if not header:
            header = [folded(cell) for cell in cells]
        else:
            yield line, dict(zip(header, cells, strict=False))
    if not header:
        raise Unreadable("empty")


def _from_csv(content: bytes) -> Iterator[list[str]]:
    try:
        content.decode("utf-8-sig")
        encoding = "utf-8-sig"
    except UnicodeDecodeError:
        encoding = "cp1252"
    lines = io.TextIOWrapper(io.BytesIO(content), encoding, "replace", newline="")
    first = lines.readline()
    lines.seek(0)
    try:
        for row in csv.reader(lines, delimiter=max(";,\t", key=first.count)):
            yield [cell.strip() for cell in row]
    except csv.Error:
        raise Unreadable("format") from None


def harmless(cell: Any) -> Any:
    """Return what may stand in a cell: a text that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def to_csv(header: list[str], lines: Iterable[list[Any]]) -> bytes:
    """Return a CSV as Chilean spreadsheets open it: semicolons, UTF-8 with its mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in line] for line in lines)
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(header: list[str], lines: Iterable[list[Any]]) -> bytes:
    """Return an Excel workbook with one sheet."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Clave")
    sheet.append(header)
    for line in lines:
        sheet.append([harmless(cell) for cell in line])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
