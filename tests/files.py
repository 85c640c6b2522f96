"""Files as people, and as nobody should, bring them."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin

from clave.training import spreadsheets

# The harmless file by which scanners are tested; in two parts, so that it does not stand here.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def brought(content: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/octet-stream")


def pdf(*more: bytes, catalog: bytes = b"", page: bytes = b"", comment: bytes = b"", behind: bytes = b"") -> bytes:
    """Return a document of one empty page, with further objects from number 4 on."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] %s >>" % page,
        *more,
    ]
    out = bytearray(b"%PDF-1.7\n" + (b"%" + comment + b"\n" if comment else b""))
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out) + behind


def stream(content: bytes, about: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    return b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n%s\nendstream" % (len(packed), about, packed)


def hidden_script() -> bytes:
    """Return a document whose script stands in a compressed object stream, listed by a cross-reference stream."""
    inner = [(4, b"<< /S /JavaScript /JS (app.alert(1)) >>")]
    header = b" ".join(b"%d %d" % (number, 0) for number, _ in inner) + b"\n"
    body = header + b"".join(content for _, content in inner)
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
        5: stream(body, b"/Type /ObjStm /N 1 /First %d" % len(header)),
    }
    return _with_stream_table(objects, {4: (5, 0)})


def bomb_in_a_stream() -> bytes:
    """Return a document whose table of objects unpacks to 150 MB."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
        5: stream(b"4 0\n" + b" " * (150 << 20), b"/Type /ObjStm /N 1 /First 4"),
    }
    return _with_stream_table(objects, {4: (5, 0)})


def _with_stream_table(objects: dict[int, bytes], inside: dict[int, tuple[int, int]]) -> bytes:
    out, rows = bytearray(b"%PDF-1.7\n"), {0: (0, 0, 65535)}
    for number, content in objects.items():
        rows[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    rows |= {number: (2, *where) for number, where in inside.items()}
    table, start = max(rows) + 1, len(out)
    rows[table] = (1, start, 0)
    packed = b"".join(struct.pack(">BIH", *rows[number]) for number in range(table + 1))
    about = b"/Type /XRef /Size %d /W [1 4 2] /Root 1 0 R" % (table + 1)
    out += b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, stream(packed, about), start)
    return bytes(out)


def image(kind: str = "PNG", size: tuple[int, int] = (60, 40), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (10, 120, 200)).save(out, kind, **options)
    return out.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """Return a small file that says it is a picture of these dimensions, and unpacks to them."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    packer, line = zlib.compressobj(9), b"\0" * (1 + (width + 7) // 8)
    rows = [*(packer.compress(line) for _ in range(height)), packer.flush()]
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"".join(rows)) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """Return a picture with a comment that unpacks to 60 MB."""
    info = PngImagePlugin.PngInfo()
    info.add_text("x", "a" * (60 << 20), zip=True)
    return image(pnginfo=info)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "a")
    return out.getvalue()


def exactly_one_megabyte() -> bytes:
    """Return a good document of just 1 048 576 bytes."""
    noise = random.Random(1).randbytes(600_000)
    text = noise.hex().encode()
    too_much = len(pdf(b"(%s)" % text, comment=b"x")) - 1024 * 1024
    return pdf(b"(%s)" % text[: len(text) - too_much], comment=b"x")


def locked() -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf())))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def as_table(kind: str, header: list[str], lines: Iterable[list[Any]]) -> bytes:
    """Return a table as the product itself writes it."""
    return spreadsheets.download("tabla", kind, header, lines).getvalue()
