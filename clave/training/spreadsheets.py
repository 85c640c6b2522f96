"""Reading of tables uploaded by training bodies, as CSV or XLSX, and writing of their downloads.

Workbooks are read and written in a separate process, so that the memory is released afterwards.
"""

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO

from django.http import FileResponse

from clave.lib import isolated_process
from clave.lib.text import folded

_XLSX_MODULE = "clave.training.xlsx"
# Twice the CPU time that the process allows itself.
_TIMEOUT_SECONDS = 240
MOST_ROWS = 200_000
_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


class Unreadable(ValueError):
    """The file is not a readable table. `code` says why: `format`, `empty` or `rows`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def kind_of(content: bytes) -> str:
    """Return `xlsx` or `csv`, judged by content rather than file name. Raises `Unreadable`."""
    if content[:4] == b"PK\x03\x04":
        return "xlsx"
    if not content.strip() or b"\0" in content[:4096]:
        raise Unreadable("format" if content.strip() else "empty")
    return "csv"


def plain(content: bytes) -> bytes:
    """Return a table as CSV, converting a workbook in a separate process. Raises `Unreadable`."""
    if kind_of(content) == "csv":
        return content
    try:
        process = isolated_process.run(_XLSX_MODULE, "read", content=content, timeout=_TIMEOUT_SECONDS)
    except TimeoutError:
        raise Unreadable("format") from None
    if process.returncode:
        raise Unreadable("format")
    return process.stdout or b"\n"


def rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, {column: text}) for every non-blank row of a CSV; the first row names the columns.

    Column names are folded: without case, accents or outer spaces. Raises `Unreadable`.
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


def escape_formula(cell: object) -> object:
    """Return a cell's safe form: text that a spreadsheet would evaluate as a formula gets a leading apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_PREFIXES) else cell


def write_csv(file: IO[bytes], header: list[str], lines: Iterable[Sequence[object]]) -> None:
    """Write a CSV as Chilean spreadsheets expect it: semicolons, UTF-8 with a byte order mark."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([escape_formula(cell) for cell in line] for line in lines)
    text.detach()


def write_xlsx(file: IO[bytes], header: list[str], lines: Iterable[Sequence[object]]) -> None:
    """Write an Excel workbook with one sheet to a file on disk. Raises `CalledProcessError`, `TimeoutError`."""
    with tempfile.TemporaryFile("w+") as json_lines:
        json_lines.writelines(
            json.dumps([escape_formula(cell) for cell in line]) + "\n" for line in chain([header], lines)
        )
        json_lines.seek(0)
        isolated_process.run(
            _XLSX_MODULE, "write", files=(json_lines, file), timeout=_TIMEOUT_SECONDS
        ).check_returncode()


# Writer and MIME type of each kind of table.
KINDS = {
    "csv": (write_csv, "text/csv; charset=utf-8"),
    "xlsx": (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def download(name: str, kind: str, header: list[str], lines: Iterable[Sequence[object]]) -> FileResponse:
    """Return a table, one of `KINDS`, as a download named `name`. Spooled to disk: a long one costs no memory."""
    write, mime = KINDS[kind]
    file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the response)
    write(file, header, lines)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.{kind}", content_type=mime)
