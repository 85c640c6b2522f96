"""Sworn statements: the training body's first, then each participant's. Source: mission.md, section 8."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clave.training.models import Action
from clave.training.models import State as ActionState


class Kind(models.TextChoices):
    """The party that makes the statement."""

    OTEC = "otec", _("organismo de capacitación")
    PARTICIPANT = "participant", _("participante")


class State(models.TextChoices):
    """The state of a statement. A participant without one is *pendiente de emitir*."""

    ISSUED = "issued", _("emitida")
    REQUESTED = "requested", _("anulación solicitada")
    APPROVED = "approved", _("re-emisión aprobada")
    REJECTED = "rejected", _("re-emisión rechazada")
    ANNULLED = "annulled", _("anulada")


VALID = (State.ISSUED, State.REQUESTED, State.REJECTED)


class Statement(models.Model):
    """A statement about an action up to `until`. `data` is its content at the time of issue.

    `digest` is the SHA-256 of the signed PDF; both are empty until the worker has produced it. `reason` is why
    annulment was requested, `decision` the operator's answer.
    """

    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    action = models.ForeignKey(Action, on_delete=models.PROTECT, related_name="statements")
    run = models.CharField(max_length=12, blank=True)
    until = models.DateField()
    partial = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ISSUED)
    data = models.JSONField()
    issued_at = models.DateTimeField()
    pdf = models.BinaryField(default=b"")
    digest = models.CharField(max_length=64, blank=True, db_index=True)
    reason = models.CharField(max_length=300, blank=True)
    # When the OTEC last reminded its participants. Limited because reminders share a participant's daily mail quota
    # with key recovery.
    reminded_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["year", "number"], name="folio"),
            models.UniqueConstraint(
                fields=["kind", "action", "run", "until"],
                condition=models.Q(state__in=["issued", "requested", "rejected"]),
                name="one_valid_statement",
            ),
        ]

    def __str__(self) -> str:
        return self.folio

    @property
    def folio(self) -> str:
        return f"{self.number}-{self.year}"

    @property
    def is_valid(self) -> bool:
        return self.state in VALID

    @property
    def action_is_annulled(self) -> bool:
        """Return whether the action was annulled after issue: the statement stays readable but has no effect."""
        return self.action.state == ActionState.ANNULLED


class Counter(models.Model):
    """The last folio issued in a year."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)
