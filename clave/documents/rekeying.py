"""Moving documents from a former secret key to the present one."""

import secrets

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from clave.documents.models import Document
from clave.lib.crypto import box, is_boxed_under


def rekey() -> tuple[int, list[str]]:
    """Encrypt every document under the present key; return how many moved, and those that could not be opened.

    Each is written anew under another name before the row points to it: one that is interrupted loses nothing.
    """
    moved, closed = 0, []
    vault = storages["vault"]
    for pk, name in Document.objects.order_by("pk").values_list("pk", "name").iterator():
        try:
            with vault.open(name) as file:
                encrypted = file.read()
            if is_boxed_under(settings.SECRET_KEY, encrypted):
                continue
            again = vault.save(secrets.token_hex(24), ContentFile(box().rotate(encrypted)))
        except (InvalidToken, OSError) as error:
            closed.append(f"document {pk}: {type(error).__name__}")
            continue
        pointed = Document.objects.filter(pk=pk, name=name).update(name=again)
        vault.delete(name if pointed else again)
        moved += pointed
    return moved, closed
