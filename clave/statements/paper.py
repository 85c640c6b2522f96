"""The paper of a statement: a PDF/A-2a and PDF/UA-1 document made by typst, signed for the institution by pyHanko."""

import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import segno
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.urls import reverse

from clave.core import clock
from clave.core.rut import Rut
from clave.statements.models import Statement

_TEMPLATE = Path(__file__).parent / "statement.typ"
log = structlog.get_logger(__name__)


def verification_address(statement: Statement) -> str:
    """Return the public address that says whether a folio is valid."""
    return settings.CLAVE_URL + reverse("verify_folio", args=[statement.folio])


def make(statement: Statement) -> bytes:
    """Return the signed PDF."""
    return _signed(_typeset(statement))


def _typeset(statement: Statement) -> bytes:
    import typst

    code = io.BytesIO()
    segno.make(verification_address(statement), error="m").save(code, kind="svg", border=0)
    data = {
        **statement.data,
        "kind": statement.kind,
        "folio": statement.folio,
        "issued": statement.issued_at.astimezone(clock.SANTIAGO).strftime("%d-%m-%Y %H:%M"),
        "run": Rut.parse(statement.run).pretty if statement.run else "",
        "verify": verification_address(statement),
        "qr": code.getvalue().decode(),
    }
    # What people typed reaches typst as data, never as markup.
    pdf = typst.compile(
        _TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=["a-2a", "ua-1"],
        timestamp=int(statement.issued_at.timestamp()),
        ignore_system_fonts=True,
    )
    return bytes(pdf)


def _signed(pdf: bytes) -> bytes:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers

    file, password = _institution()
    signer = signers.SimpleSigner.load_pkcs12(str(file), passphrase=password)  # type: ignore[no-untyped-call]
    if signer is None:
        raise RuntimeError(f"{file} holds no key that can be read with its password")
    meta = signers.PdfSignatureMetadata(field_name="Institucion", reason="Declaración jurada", name="Clave SENCE")
    out = io.BytesIO()
    signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), meta, signer=signer, output=out)
    return out.getvalue()


def _institution() -> tuple[Path, bytes]:
    """Return the institution's key file and its password; without one configured, a self-signed one is made."""
    if settings.INSTITUTION_P12:
        return Path(settings.INSTITUTION_P12), settings.INSTITUTION_P12_PASSWORD.encode()
    file, password = settings.CLAVE_HOME / "institution.p12", settings.SECRET_KEY.encode()[:64]
    if not file.exists():
        log.warning("statements.self_signed", file=str(file))
        file.touch(mode=0o600)
        file.write_bytes(_self_signed(password))
    return file, password


def _self_signed(password: bytes) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Clave SENCE (certificado propio)")])
    now = clock.now()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    usage: dict[str, Any] = dict.fromkeys(
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
    return pkcs12.serialize_key_and_certificates(b"clave", key, certificate, None, BestAvailableEncryption(password))


def keep(statement: Statement) -> None:
    """Make a statement's PDF and keep it with its digest, unless another worker has."""
    pdf = make(statement)
    waiting = Statement.objects.filter(pk=statement.pk, digest="")
    waiting.update(pdf=pdf, digest=hashlib.sha256(pdf).hexdigest())
