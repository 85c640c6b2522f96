"""Inspect a file of unknown type, in a separate process with tight memory and CPU limits.

Standard input: the file. Standard output: the content to store. Standard error: its type (`jpg`, `png`, `pdf`) or, with
exit code 2, an error code. Images are re-encoded, so that nothing but the picture remains; documents with active
content are refused.
"""

import io
import re
import resource
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdf import PdfReader
    from pypdf.generic import PdfObject

MOST_MEMORY, MOST_SECONDS = 256 << 20, 10
# 20 million pixels are 80 MB in memory with an alpha channel, and more than any camera fits into a 1 MB file.
MOST_PIXELS, LONGEST_SIDE = 20_000_000, 12_000
MOST_OBJECTS = 20_000
# Anything that makes a reader act (ISO 32000-1, sections 7.11.4, 12.6.4, 12.7.8, 13).
ACTIVE = {
    "/JS",
    "/JavaScript",
    "/Launch",
    "/EmbeddedFiles",
    "/EmbeddedFile",
    "/RichMedia",
    "/XFA",
    "/AA",
    "/SubmitForm",
    "/ImportData",
    "/GoToE",
    "/Movie",
    "/Sound",
    "/Rendition",
    "/FileAttachment",
}
_EOF_MARKER = re.compile(rb"%%EOF\s{0,32}\Z")


class Wrong(Exception):
    """The file is refused; the argument is a code of `service.WRONG`."""


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    content = sys.stdin.buffer.read()
    try:
        kind, output = examined(content)
    except Wrong as wrong:
        sys.stderr.write(str(wrong))
        return 2
    except MemoryError:
        sys.stderr.write("file_too_complex")
        return 2
    except Exception:  # a corrupt file raises almost anything
        sys.stderr.write("file_broken")
        return 2
    sys.stdout.buffer.write(output)
    sys.stderr.write(kind)
    return 0


def examined(content: bytes) -> tuple[str, bytes]:
    """Return a file's type, judged by its content, and the content to store. Raises `Wrong`, or anything else."""
    if content.startswith(b"%PDF-"):
        return "pdf", document(content)
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg", picture(content, "JPEG")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", picture(content, "PNG")
    raise Wrong("file_kind")


def picture(content: bytes, kind: str) -> bytes:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(content), formats=[kind]) as image:
        width, height = image.size
        if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
            raise Wrong("file_dimensions")
        image.load()
        upright = ImageOps.exif_transpose(image)
        bare = upright.convert("RGB" if kind == "JPEG" else "RGBA" if "A" in upright.getbands() else "RGB")
    bare.info.clear()
    out = io.BytesIO()
    if kind == "JPEG":
        bare.save(out, kind, quality=88)
    else:
        bare.save(out, kind)
    return out.getvalue()


def document(content: bytes) -> bytes:
    from pypdf import PdfReader

    if not _EOF_MARKER.search(content):
        raise Wrong("file_broken")
    reader = PdfReader(io.BytesIO(content), strict=True)
    if reader.is_encrypted:
        raise Wrong("file_locked")
    if not reader.pages:
        raise Wrong("file_broken")
    look_through(reader)
    return content


def look_through(reader: "PdfReader") -> None:
    """Visit every object reachable from the trailer and every object the file lists. Raises `Wrong`."""
    from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

    listed = [IndirectObject(number, generation, reader)
              for generation, numbers in reader.xref.items() for number in numbers]  # fmt: skip
    listed += [IndirectObject(number, 0, reader) for number in reader.xref_objStm]
    if len(listed) > MOST_OBJECTS:
        raise Wrong("file_too_complex")
    stack: list[PdfObject | None] = [reader.trailer, *listed]
    seen: set[tuple[int, int]] = set()
    visited = 0
    while stack:
        node = stack.pop()
        visited += 1
        if visited > 20 * MOST_OBJECTS:
            raise Wrong("file_too_complex")
        if isinstance(node, IndirectObject):
            if (node.idnum, node.generation) in seen or not node.idnum:
                continue
            seen.add((node.idnum, node.generation))
            stack.append(node.get_object())
        elif isinstance(node, DictionaryObject):
            if ACTIVE & (set(node) | {str(node.raw_get(name)) for name in ("/S", "/Subtype", "/Type") if name in node}):
                raise Wrong("file_active")
            stack += [node.raw_get(name) for name in node]
        elif isinstance(node, ArrayObject):
            stack += list.__iter__(node)


if __name__ == "__main__":
    sys.exit(main())
