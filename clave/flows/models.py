"""What flows must remember beyond one visit."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clave.core.clock import SANTIAGO
from clave.core.secrets import EncryptedTextField
from clave.holders.models import Holder, Profile
from clave.vault.models import Document


class Waiting(models.Model):
    """Somebody who wants to be told when a registry answers again."""

    registry = models.CharField(max_length=20)
    email = EncryptedTextField()
    language = models.CharField(max_length=5, default="es")
    created_at = models.DateTimeField(db_index=True)


class Decision(models.TextChoices):
    """Where a request for a facilitator's CS stands."""

    PENDING = "pending", _("En revisión")
    APPROVED = "approved", _("Aprobada")
    REJECTED = "rejected", _("Rechazada")


class FacilitatorRequest(models.Model):
    """A company asks for a foreign facilitator's CS (flows.md, section 6). `answer_hash` is slow, as a key's is.

    `decided_by` names the operator; `reason` is told to the company.
    """

    company = models.ForeignKey(Holder, on_delete=models.PROTECT, related_name="facilitator_requests")
    representative = models.CharField(max_length=12)
    identifier = models.CharField(max_length=24)
    names = models.CharField(max_length=120)
    surnames = models.CharField(max_length=120)
    sex = models.CharField(max_length=1)
    birth_date = models.DateField()
    children = models.PositiveSmallIntegerField(default=0)
    country = models.CharField(max_length=2)
    email = models.EmailField(max_length=120)
    question = models.CharField(max_length=20, blank=True)
    answer_hash = models.CharField(max_length=160, blank=True)
    # Empty when they have been kept long enough.
    affidavit = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, related_name="+")
    identity = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=Decision.choices, default=Decision.PENDING)
    reason = models.CharField(max_length=300, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["identifier"], condition=models.Q(state="pending"), name="one_open_request_each"
            )
        ]

    @property
    def folio(self) -> str:
        """Return the number the company asks with, `12-2026`."""
        return f"{self.pk}-{self.created_at.astimezone(SANTIAGO).year}"

    @property
    def holder(self) -> Holder:
        """Return the facilitator as the holder it asks to become, not saved."""
        names = ("identifier", "names", "surnames", "sex", "birth_date", "children", "country", "email")
        return Holder(profile=Profile.FACILITADOR, **{name: getattr(self, name) for name in names})
