"""Re-encryption of documents when the secret key is rotated."""

import secrets

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from clave.documents.models import Document
from clave.lib.crypto import box, is_encrypted_under


def rekey() -> tuple[int, list[str]]:
    """Re-encrypt every document under the current key; return how many moved, and which could not be opened.

    Each is written under a new name before its row is updated: an interruption loses nothing.
    """
    moved, failures = 0, []
    vault = storages["vault"]
    for pk, name in Document.objects.order_by("pk").values_list("pk", "name").iterator():
        try:
            with vault.open(name) as file:
                encrypted = file.read()
            if is_encrypted_under(settings.SECRET_KEY, encrypted):
                continue
            new_name = vault.save(secrets.token_hex(24), ContentFile(box().rotate(encrypted)))
        except (InvalidToken, OSError) as error:
            failures.append(f"document {pk}: {type(error).__name__}")
            continue
        updated = Document.objects.filter(pk=pk, name=name).update(name=new_name)
        vault.delete(name if updated else new_name)
        moved += updated
    return moved, failures
