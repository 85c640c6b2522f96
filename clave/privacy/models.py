"""Holders' requests about their own data (Ley 21.719)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clave.holders.models import Holder
from clave.lib.crypto import EncryptedTextField


class Right(models.TextChoices):
    """The right exercised (Ley 19.628 as amended by Ley 21.719, articles 6 and 7)."""

    CORRECTION = "correction", _("Corregir mis datos")
    DELETION = "deletion", _("Eliminar mis datos")


class Answer(models.TextChoices):
    PENDING = "pending", _("En revisión")
    GRANTED = "granted", _("Aceptada")
    REFUSED = "refused", _("Rechazada")


class Petition(models.Model):
    """A request. After a deletion it is kept without holder and words, as evidence that it was answered."""

    holder = models.ForeignKey(Holder, on_delete=models.SET_NULL, null=True, related_name="petitions")
    right = models.CharField(max_length=10, choices=Right.choices)
    words = EncryptedTextField(blank=True)
    state = models.CharField(max_length=8, choices=Answer.choices, default=Answer.PENDING)
    answer = models.CharField(max_length=300, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["holder", "right"], condition=models.Q(state="pending"), name="one_open_petition"
            )
        ]
