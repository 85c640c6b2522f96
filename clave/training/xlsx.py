"""Turns a workbook on standard input into CSV on standard output, in a process of its own: a workbook may be anything.

What it uses is given back when it ends, and it can use no more than it may: a bomb kills this process and nothing else.
Exit code 2 says that the input is no workbook.
"""

import csv
import io
import resource
import sys
from datetime import date, datetime
from typing import Any

MOST_MEMORY, MOST_SECONDS = 512 << 20, 120


def text(cell: Any) -> str:
    """Return a cell as a person would have typed it."""
    if cell is None:
        return ""
    if isinstance(cell, (datetime, date)):
        return cell.strftime("%d-%m-%Y")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    from openpyxl import load_workbook  # reads XML through defusedxml, which is installed for that

    out = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
    try:
        book = load_workbook(io.BytesIO(sys.stdin.buffer.read()), read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True):
            out.writerow([text(cell) for cell in row])
    except Exception:  # a broken archive fails in many ways
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
