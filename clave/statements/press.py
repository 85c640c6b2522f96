"""Typesetting and signing of PDFs in a separate process, so that the memory of typst and pyHanko is freed at its end.

Standard input: one JSON object with `p12` (file; without it nothing is signed), `password`, `template` (file) and
`papers`, a list of objects with `data`, `timestamp`.
Standard output: a line of JSON for each paper: its PDF in base64 or, if it failed, the name of the error.
"""

import base64
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyhanko.sign.signers import SimpleSigner


def typeset(template: Path, data: dict[str, object], timestamp: int) -> bytes:
    """Return the PDF/A-2a and PDF/UA-1 document. User input is passed to typst as data, never as markup."""
    import typst

    pdf = typst.compile(
        template.read_bytes(),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=timestamp,
        ignore_system_fonts=True,
    )
    return bytes(pdf)


def sign(pdf: bytes, signer: "SimpleSigner") -> bytes:
    """Return the PDF with the institution's signature."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers

    meta = signers.PdfSignatureMetadata(field_name="Institucion", reason="Declaración jurada", name="Clave SENCE")
    out = io.BytesIO()
    signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), meta, signer=signer, output=out)
    return out.getvalue()


def _signer(p12: str, password: str) -> "SimpleSigner | None":
    from pyhanko.sign import signers

    signer: SimpleSigner | None = signers.SimpleSigner.load_pkcs12(p12, passphrase=password.encode())  # type: ignore[no-untyped-call]
    return signer


def main() -> int:
    order = json.load(sys.stdin)
    signer = _signer(order["p12"], order["password"]) if order.get("p12") else None
    if order.get("p12") and signer is None:
        print(f"{order['p12']} holds no key that can be read with its password", file=sys.stderr)  # noqa: T201
        return 2
    for paper in order["papers"]:
        try:
            pdf = typeset(Path(order["template"]), paper["data"], paper["timestamp"])
            result = {"pdf": base64.b64encode(sign(pdf, signer) if signer else pdf).decode()}
        except Exception as error:  # one failure must not stop the others
            result = {"error": type(error).__name__}
        print(json.dumps(result), flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
