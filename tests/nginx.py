"""A real nginx with the configuration that the documentation offers, on ports of its own."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from clave.operations.launcher import free_port
from tests.installation import until

CONFIGURATION = Path(__file__).parents[1] / "deploy/nginx/clave.conf"
PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
_MAIN = """
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    types {{ text/css css; text/javascript js; }}
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/f;
    scgi_temp_path {folder}/s;
    uwsgi_temp_path {folder}/u;
    include {folder}/clave.conf;
}}
"""


@contextmanager
def running(folder: Path, clave_port: int, static: Path) -> Iterator[int]:
    """Yield the port of an nginx that speaks TLS in front of this port of Clave while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    port, plain = free_port(), free_port()
    _certificate(folder)
    changes = {
        r"listen \[::\].*\n": "",  # not every machine has IPv6
        r"listen 80;": f"listen 127.0.0.1:{plain};",
        r"listen 443 ": f"listen 127.0.0.1:{port} ",
        r"127\.0\.0\.1:8000": f"127.0.0.1:{clave_port}",
        r"/etc/ssl/clave": str(folder),
        r"/srv/clave/var/static": str(static),
    }
    text = CONFIGURATION.read_text(encoding="utf-8")
    for pattern, ours in changes.items():
        text, found = re.subn(pattern, ours, text)
        assert found, pattern
    (folder / "clave.conf").write_text(text, encoding="utf-8")
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder), encoding="utf-8")
    process = subprocess.Popen([str(PROGRAM), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")])
    try:
        until(lambda: _listens(port))
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _certificate(folder: Path) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    made = builder.sign(key, hashes.SHA256())
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    none = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
