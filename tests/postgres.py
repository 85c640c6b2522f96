"""A private PostgreSQL for the tests and the measurements: own folder, own port, gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clave.operations.launcher import free_port


def _run(command: list[str], as_user: str | None) -> None:
    prefix = ["runuser", "-u", as_user, "--"] if as_user else []
    subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")


class Server:
    """A running server: its DATABASE_URL, and its restart as after a crash."""

    def __init__(self, url: str, control: list[str], options: str, as_user: str | None) -> None:
        self.url, self._control, self._options, self._as_user = url, control, options, as_user

    def start(self) -> None:
        _run([*self._control, "-o", self._options, "start"], self._as_user)

    def stop(self) -> None:
        _run([*self._control, "-m", "immediate", "stop"], self._as_user)

    def restart(self) -> None:
        """End it without any ceremony; what was not committed is lost, connections break."""
        self.stop()
        self.start()


@contextmanager
def running(*options: str) -> Iterator[str]:
    """Yield the DATABASE_URL of a server that listens on the loopback address while the block runs."""
    with serving(*options) as server:
        yield server.url


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Yield a server that listens on the loopback address while the block runs."""
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
    # PostgreSQL refuses to run as root; Debian's package brings a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="clave-postgres-"))
    data, port = folder / "data", free_port()
    if user:
        shutil.chown(folder, user)
    settings = [f"-p {port}", "-c listen_addresses=127.0.0.1", f"-c unix_socket_directories={folder}", *options]
    _run(
        [str(binaries / "initdb"), "-D", str(data), "-U", "clave", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
        user,
    )
    control = [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    server = Server(f"postgresql://clave@127.0.0.1:{port}/clave", control, " ".join(settings), user)
    server.start()
    try:
        _run([str(binaries / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "clave", "clave"], user)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
