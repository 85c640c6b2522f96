"""Fills in the affidavit with a company's data, in a process of its own: what docxtpl needs is given back at its end.

Standard input: JSON with the values. Standard output: the document (.docx). What people typed stands in it as text.
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
    # Escaped here and never looked at as a template: a razón social may hold < or {{.
    letter.render(json.load(sys.stdin), SandboxedEnvironment(autoescape=True), autoescape=True)
    out = io.BytesIO()
    letter.save(out)
    sys.stdout.buffer.write(out.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
