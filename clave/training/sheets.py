"""Reading the tables that training bodies bring, as CSV or XLSX, and writing the ones they take away.

openpyxl is loaded only where a workbook is read or written: it would weigh on every worker.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from clave.core.text import folded

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


def rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, {column: text}) of every row that is not blank; the first line names the columns.

    Column names come folded: without case, accents or outer spaces. Raises `Unreadable`.
    """
    read = _from_xlsx if kind_of(content) == "xlsx" else _from_csv
    header: list[str] = []
    for line, cells in enumerate(read(content), start=1):
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
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    first = text.split("\n", 1)[0]
    separator = max(";,\t", key=first.count)
    try:
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            yield [cell.strip() for cell in row]
    except csv.Error:
        raise Unreadable("format") from None


def _from_xlsx(content: bytes) -> Iterator[list[str]]:
    # openpyxl reads XML through defusedxml, which is installed for that, and rows one by one.
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for row in sheet.iter_rows(values_only=True):
            yield [_text(cell) for cell in row]
    except Exception:  # a broken archive fails in many ways
        raise Unreadable("format") from None


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, (datetime, date)):
        return cell.strftime("%d-%m-%Y")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


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
