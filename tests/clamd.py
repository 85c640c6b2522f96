"""A real clamd with a signature of our own for the EICAR file: the public ones are too many to fetch for a test."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clave.documents.scanner import ScannerDown, is_clean
from tests.files import EICAR


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Yield the address of a clamd that runs until the block ends."""
    (folder / "db").mkdir(parents=True)
    (folder / "db" / "eicar.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
    socket = folder / "clamd.sock"
    (folder / "clamd.conf").write_text(
        f"LocalSocket {socket}\nDatabaseDirectory {folder / 'db'}\nForeground yes\nUser root\nStreamMaxLength 4M\n"
        f"LogFile {folder / 'clamd.log'}\nSelfCheck 0\n"
    )
    command = ["clamd", "-c", str(folder / "clamd.conf")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"unix://{socket}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                is_clean(b"hello", url)
                break
            except ScannerDown:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)
