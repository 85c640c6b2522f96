"""PDFs of statements: PDF/A-2a and PDF/UA-1, typeset by typst and signed for the institution with pyHanko."""

import base64
import hashlib
import io
import json
import tempfile
from datetime import timedelta
from pathlib import Path

import segno
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.urls import reverse

from clave.lib import clock, isolated_process
from clave.lib.crypto import derived_key, secret_keys
from clave.lib.rut import Rut
from clave.statements.models import Statement

_TEMPLATE = Path(__file__).parent / "statement.typ"
_SECONDS_TO_START, _SECONDS_A_PAPER = 30, 5
log = structlog.get_logger(__name__)


def verification_address(statement: Statement) -> str:
    """Return the public URL where anyone can verify the folio."""
    return settings.CLAVE_URL + reverse("verify_folio", args=[statement.folio])


def make(statements: list[Statement]) -> list[bytes | None]:
    """Return the signed PDF of each statement, None if it could not be produced. Raises `RuntimeError`."""
    file, password = _institution()
    papers = [{"data": _data(statement), "timestamp": int(statement.issued_at.timestamp())} for statement in statements]
    return pressed(_TEMPLATE, papers, {"p12": str(file), "password": password.decode()})


def pressed(
    template: Path, papers: list[dict[str, object]], signer: dict[str, str] | None = None
) -> list[bytes | None]:
    """Return a PDF for each paper (`data`, `timestamp`), signed if a signer is given.

    Raises `RuntimeError`, `TimeoutError`.
    """
    order = json.dumps({**(signer or {}), "template": str(template), "papers": papers})
    timeout = _SECONDS_TO_START + _SECONDS_A_PAPER * len(papers)
    result = isolated_process.run("clave.statements.press", content=order.encode(), timeout=timeout)
    if result.returncode:
        raise RuntimeError(f"the press stopped: {result.stderr.decode(errors='replace').strip()[-200:]}")
    pdfs: list[bytes | None] = []
    for line in result.stdout.splitlines():
        answer = json.loads(line)
        if "error" in answer:
            log.error("press.paper", template=template.name, error=answer["error"])
        pdfs.append(base64.b64decode(answer["pdf"]) if "pdf" in answer else None)
    return pdfs


def _data(statement: Statement) -> dict[str, object]:
    code = io.BytesIO()
    segno.make(verification_address(statement), error="m").save(code, kind="svg", border=0)
    return {
        **statement.data,
        "kind": statement.kind,
        "folio": statement.folio,
        "issued": statement.issued_at.astimezone(clock.SANTIAGO).strftime("%d-%m-%Y %H:%M"),
        "run": Rut.parse(statement.run).pretty if statement.run else "",
        "verify": verification_address(statement),
        "qr": code.getvalue().decode(),
    }


def _institution() -> tuple[Path, bytes]:
    """Return the institution's key file and its password; create a self-signed one if none is configured."""
    if settings.INSTITUTION_P12:
        return Path(settings.INSTITUTION_P12), settings.INSTITUTION_P12_PASSWORD.encode()
    file, password = settings.CLAVE_HOME / "institution.p12", _passwords()[0]
    if not file.exists():
        log.warning("statements.self_signed", file=str(file))
        _replace(file, _self_signed(password))
    _encrypt_under_current_key(file)
    return file, password


def _passwords() -> list[bytes]:
    """Return the possible passwords of a self-signed key file, the current one first.

    In earlier versions the password was the beginning of the secret key; now it is derived from it.
    """
    secrets = secret_keys()
    derived = [derived_key(secret, "institution-key-file").hex().encode() for secret in secrets]
    return derived + [secret.encode()[:64] for secret in secrets]


def _encrypt_under_current_key(file: Path) -> bool:
    """Re-encrypt a self-signed key file under the current password unless it already is; return whether it changed.

    Raises `RuntimeError` if no password opens it.
    """
    current, *former = _passwords()
    content = file.read_bytes()
    if _opened(content, current):
        return False
    for password in former:
        if opened := _opened(content, password):
            _replace(file, _encrypted(opened.key, opened.cert.certificate, current))  # type: ignore[arg-type, union-attr]
            return True
    raise RuntimeError(f"{file}: made under a secret key that is neither the present one nor among the fallbacks")


def rekey() -> bool:
    """Re-encrypt the self-signed key file, if any, under the current secret key; return whether that was needed.

    Raises `RuntimeError` if no configured key opens it.
    """
    file = settings.CLAVE_HOME / "institution.p12"
    return not settings.INSTITUTION_P12 and file.exists() and _encrypt_under_current_key(file)


def _opened(content: bytes, password: bytes) -> pkcs12.PKCS12KeyAndCertificates | None:
    try:
        return pkcs12.load_pkcs12(content, password)
    except ValueError:  # wrong password
        return None


def _replace(file: Path, content: bytes) -> None:
    """Write a file atomically, readable only by its owner."""
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as new:
        new.write(content)
    Path(new.name).replace(file)


def _self_signed(password: bytes) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clave SENCE (certificado propio)")])
    now = clock.now()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only"), False
    )
    certificate = (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, content_commitment=True, decipher_only=False, **usage), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    return _encrypted(key, certificate, password)


def _encrypted(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, password: bytes) -> bytes:
    return pkcs12.serialize_key_and_certificates(b"clave", key, certificate, None, BestAvailableEncryption(password))


def keep(statements: list[Statement]) -> int:
    """Produce and store the PDFs and their digests, unless another worker has. Return the number stored."""
    stored = 0
    for statement, pdf in zip(statements, make(statements), strict=True):
        if pdf:
            pending = Statement.objects.filter(pk=statement.pk, digest="")
            stored += pending.update(pdf=pdf, digest=hashlib.sha256(pdf).hexdigest())
    return stored
