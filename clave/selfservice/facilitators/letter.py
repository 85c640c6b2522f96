"""Completion of the affidavit with a company's data, in a separate process to free docxtpl's memory at its end.

Standard input: JSON with the values. Standard output: the document (.docx). User input is inserted as plain text.
"""

import io
import json
import sys
from pathlib import Path

TEMPLATE = Path(__file__).parent / "declaracion.docx"


def main() -> int:
    from docxtpl import DocxTemplate  # type: ignore[attr-defined]
    from jinja2.sandbox import SandboxedEnvironment

    letter = DocxTemplate(TEMPLATE)
    # Values are escaped and never evaluated as templates: a razón social may contain < or {{.
    letter.render(json.load(sys.stdin), SandboxedEnvironment(autoescape=True), autoescape=True)
    out = io.BytesIO()
    letter.save(out)
    sys.stdout.buffer.write(out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
