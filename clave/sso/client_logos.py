"""A client's logo on the consent page: a small PNG, written anew by us so that nothing but the picture remains.

Anybody may fetch it, under an address that changes with it and that browsers may therefore keep.
"""

import struct
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.documents.service import FileRefused, examined
from clave.lib.crypto import fingerprint
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.sso.models import Client, ClientLogo

MOST_BYTES, LONGEST_SIDE = 64 * 1024, 256
_VERSION_LENGTH = 16


class LogoRefused(Refused):
    """The picture cannot be a logo."""

    def __init__(self, code: str, message: str, field: str) -> None:
        super().__init__(code, message, field=field)


def accepted(file: "UploadedFile[Any]", field: str) -> bytes:
    """Return the logo to keep, from a file uploaded in `field`. Raises `LogoRefused`, `FileRefused`."""
    if not file.size:
        raise FileRefused("file_empty", field)
    if file.size > MOST_BYTES:
        raise _too_big(field)
    kind, png = examined(file.read(), field)
    if kind != "png":
        raise LogoRefused("logo_kind", _("El logo debe ser una imagen PNG."), field)
    width, height = struct.unpack(">II", png[16:24])  # the header that comes first (PNG, third edition, section 11.2.1)
    if max(width, height) > LONGEST_SIDE:
        message = _("El logo mide más de {side} por {side} puntos. Achíquelo y súbalo de nuevo.")
        raise LogoRefused("logo_dimensions", message.format(side=LONGEST_SIDE), field)
    if len(png) > MOST_BYTES:
        raise _too_big(field)
    return png


def _too_big(field: str) -> LogoRefused:
    return LogoRefused("logo_size", _("El logo pesa más de 64 kB. Use uno más simple o más chico."), field)


@transaction.atomic
def set_logo(client: Client, png: bytes, context: RequestContext, operator: str = "") -> None:
    """Store a logo that was accepted, in place of a former one; empty bytes leave the client without."""
    version = fingerprint(png.hex())[:_VERSION_LENGTH] if png else ""
    if png:
        ClientLogo.objects.update_or_create(client=client, defaults={"png": png})
    else:
        ClientLogo.objects.filter(client=client).delete()
    Client.objects.filter(pk=client.pk).update(logo_version=version)
    client.logo_version = version
    audit.record("sso.client_logo", context, client=client.client_id, operator=operator, version=version)


def find(client_id: str, version: str) -> bytes | None:
    """Return a logo by its client and version; None if the client has another by now, or none."""
    logo = ClientLogo.objects.filter(client__client_id=client_id, client__logo_version=version).first()
    return bytes(logo.png) if logo and version else None
