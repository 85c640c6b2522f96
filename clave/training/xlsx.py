"""Workbook conversion in a separate process, from standard input to standard output.

`read` converts a workbook to CSV. Workbooks are untrusted: the process has resource limits, so a decompression bomb
kills only this process. Exit code 2 means that the input is not a workbook. `write` converts JSON lines, one list per
row, to a workbook. All memory is released when the process ends.
"""

import csv
import io
import json
import resource
import sys
from datetime import date, datetime

MOST_MEMORY, MOST_SECONDS = 512 << 20, 120


def text(cell: object) -> str:
    """Return a cell as a person would have typed it."""
    if cell is None:
        return ""
    if isinstance(cell, (datetime, date)):
        return cell.strftime("%d-%m-%Y")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def read() -> int:
    from openpyxl import load_workbook  # parses XML with defusedxml if it is installed, as it is here

    out = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
    try:
        book = load_workbook(io.BytesIO(sys.stdin.buffer.read()), read_only=True, data_only=True)
        for row in book.worksheets[0].iter_rows(values_only=True):
            out.writerow([text(cell) for cell in row])
    except Exception:  # a corrupt archive raises almost anything
        return 2
    return 0


def write() -> int:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Clave")
    for line in sys.stdin:
        sheet.append(json.loads(line))
    book.save(sys.stdout.buffer)
    return 0


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    return {"read": read, "write": write}[sys.argv[1]]()


if __name__ == "__main__":
    sys.exit(main())
