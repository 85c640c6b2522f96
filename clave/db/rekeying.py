"""Re-encryption of stored data when the secret key is rotated."""

from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.conf import settings
from django.db.models import Model, TextField
from django.db.models.functions import Cast

from clave.lib.crypto import EncryptedTextField, is_sealed_under, unseal


def encrypted_fields() -> Iterator[tuple[type[Model], EncryptedTextField]]:
    """Yield every encrypted column of every installed model."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field


def rekey_column(model: type[Model], field: EncryptedTextField) -> tuple[int, list[str]]:
    """Re-encrypt a column under the current key; return how many rows moved and which rows no known key decrypts.

    A row that is updated concurrently is left alone: it is already under the current key.
    """
    moved, undecryptable = 0, []
    rows = model._default_manager.annotate(stored=Cast(field.name, TextField()))
    for pk, stored in rows.exclude(stored="").order_by("pk").values_list("pk", "stored").iterator():
        if stored is None or is_sealed_under(settings.SECRET_KEY, stored):
            continue
        try:
            text = unseal(stored)
        except (InvalidTag, InvalidToken):
            undecryptable.append(f"{model._meta.label} {pk}, {field.name}")
            continue
        moved += rows.filter(pk=pk, stored=stored).update(**{field.name: text})
    return moved, undecryptable
