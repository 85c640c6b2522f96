"""Data of self-service flows that outlives a session."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clave.documents.models import Document
from clave.holders.models import Holder, Profile
from clave.lib.clock import SANTIAGO
from clave.lib.crypto import EncryptedTextField


class Waiting(models.Model):
    """A request to be notified when a registry is available again."""

    registry = models.CharField(max_length=20)
    email = EncryptedTextField()
    language = models.CharField(max_length=5, default="es")
    created_at = models.DateTimeField(db_index=True)


class Decision(models.TextChoices):
    """The state of a request for a facilitator's CS."""

    PENDING = "pending", _("En revisión")
    APPROVED = "approved", _("Aprobada")
    REJECTED = "rejected", _("Rechazada")


class FacilitatorRequest(models.Model):
    """A company's request for a foreign facilitator's CS (mission.md, section 6).

    `answer_hash` is a slow hash, as for keys. `decided_by` names the operator; `reason` is shown to the company.
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
    # Null once the retention period is over.
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
        """Return the number by which the company can check the request's state, as `12-2026`."""
        return f"{self.pk}-{self.created_at.astimezone(SANTIAGO).year}"

    @property
    def holder(self) -> Holder:
        """Return the facilitator as an unsaved holder."""
        names = ("identifier", "names", "surnames", "sex", "birth_date", "children", "country", "email")
        return Holder(profile=Profile.FACILITADOR, **{name: getattr(self, name) for name in names})


class ChangeState(models.TextChoices):
    """The state of a proposed change."""

    PENDING = "pending", _("Espera confirmación")
    APPLIED = "applied", _("Confirmado")
    REFUSED = "refused", _("Rechazado")
    EXPIRED = "expired", _("Vencido")


class ContactChange(models.Model):
    """A new contact proposed by an operator for a holder; applied only after someone else confirms it (decision 0026).

    `proposed_by` and `decided_by` name operators; `proof` says how it was decided: `link`, `card` or `operator`. A
    change is only valid while the holder's e-mail is still `old_email`. An empty `work_phone` keeps the one on file.
    The values are erased once the change has been decided.
    """

    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="contact_changes")
    email = models.EmailField(max_length=120, blank=True)
    work_phone = EncryptedTextField(blank=True)
    old_email = models.EmailField(max_length=120, blank=True)
    moves_email = models.BooleanField()
    # Fingerprint of the code in the link sent to the old e-mail; empty if there was none.
    link = models.CharField(max_length=64, blank=True)
    proposed_by = models.CharField(max_length=80)
    reason = models.CharField(max_length=10)
    note = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=ChangeState.choices, default=ChangeState.PENDING)
    proof = models.CharField(max_length=8, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["holder"], condition=models.Q(state="pending"), name="one_pending_change_each"
            )
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=models.Q(state="pending"), name="contact_change_pending"),
            models.Index(fields=["link"], condition=models.Q(state="pending"), name="contact_change_by_link"),
        ]


class QuestionRenewal(models.Model):
    """An invitation from the help desk to choose a new secret question; valid while `email` is still on file.

    `link` is the fingerprint of the code in the link sent to `email`; `started_by` names the operator.
    """

    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="question_renewals")
    email = models.EmailField(max_length=120)
    link = models.CharField(max_length=64, unique=True)
    started_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
