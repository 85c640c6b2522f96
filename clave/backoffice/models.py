"""Operators, how they prove who they are, and what they did to whom and why."""

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from clave.holders.models import Holder
from clave.lib.crypto import EncryptedTextField


class Role(models.TextChoices):
    """What an operator is there for (mission.md, section 9)."""

    AGENT = "agente", _("Agente")
    REVIEWER = "revisor", _("Revisor")
    SUPERVISOR = "supervisor", _("Supervisor")
    AUDITOR = "auditor", _("Auditor")


class Operator(models.Model):
    """Somebody of the help desk. Without a `hash` the invitation has not been taken up.

    `totp_step` is the last time step whose code was used: each code serves once.
    """

    email = models.EmailField(max_length=120, unique=True)
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=10, choices=Role.choices)
    active = models.BooleanField(default=True)
    hash = models.CharField(max_length=160, blank=True)
    totp_secret = EncryptedTextField(blank=True)
    totp_step = models.BigIntegerField(default=0)
    invitation = models.CharField(max_length=64, blank=True)
    invited_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    # Not stored: what waits for a second person, counted for the menu of a page.
    changes_waiting = proposals_waiting = 0

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="operator_email_once")]

    @property
    def is_ready(self) -> bool:
        return bool(self.active and self.hash and self.totp_secret)


class Power(models.TextChoices):
    """What gives an operator more than they had, and therefore takes two supervisors (decision 0026)."""

    INVITE = "invite", _("Invitar")
    REINVITE = "reinvite", _("Invitar otra vez (clave y códigos nuevos)")
    ROLE = "role", _("Cambiar el rol")
    REACTIVATE = "reactivate", _("Reactivar")


class Proposal(models.Model):
    """One supervisor proposes something about an operator; another one confirms it before it happens.

    `subject` is empty until a new operator is invited. `confirmed` is null while it waits.
    """

    kind = models.CharField(max_length=10, choices=Power.choices)
    subject = models.ForeignKey(Operator, on_delete=models.CASCADE, null=True, related_name="proposals")
    email = models.EmailField(max_length=120)
    name = models.CharField(max_length=80)
    role = models.CharField(max_length=10, choices=Role.choices)
    proposed_by = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(Operator, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed = models.BooleanField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"), condition=models.Q(decided_at=None), name="one_waiting_proposal_each"
            )
        ]


class Passkey(models.Model):
    """A WebAuthn credential of an operator. `credential` and `public_key` in base64url, `count` as it last said."""

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="passkeys")
    credential = models.CharField(max_length=400, unique=True)
    public_key = models.TextField()
    count = models.BigIntegerField(default=0)
    label = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Reason(models.TextChoices):
    """Why an operator looks or acts."""

    CALL = "call", _("La persona llamó")
    CLAIM = "claim", _("Reclamo escrito")
    REQUEST = "request", _("Revisión de una solicitud")
    FRAUD = "fraud", _("Sospecha de uso indebido")
    OTHER = "other", _("Otro motivo")


class Kind(models.TextChoices):
    """What an operator did."""

    SEEN = "seen", _("Vio la cuenta")
    REVEALED = "revealed", _("Vio el contacto completo")
    UNLOCKED = "unlocked", _("Desbloqueó la clave")
    KEY_SENT = "key_sent", _("Envió una clave temporal")
    CONTACT = "contact", _("Propuso un cambio de contacto")
    CONFIRMED = "confirmed", _("Confirmó un cambio de contacto")
    DECLINED = "declined", _("Rechazó un cambio de contacto")
    QUESTION = "question", _("Pidió elegir otra pregunta secreta")
    REVIEWED = "reviewed", _("Revisó un cambio de correo")
    DOCUMENT = "document", _("Leyó un documento")
    DECIDED = "decided", _("Resolvió una solicitud")


class OperatorAction(models.Model):
    """What an operator did to a holder, and why: for the two-person rule, for the workload, and for the holder to see.

    The sealed evidence is the audit trail; this is the same for asking quickly.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="operator_actions")
    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="operator_actions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=10, choices=Reason.choices)
    note = models.CharField(max_length=200, blank=True)
    # Whether it is about another e-mail of the holder: then the same operator may not send a key there.
    moved = models.BooleanField(default=False)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["holder", "-at"], name="operator_actions_on_holder")]


class ChainReading(models.Model):
    """One reading of the whole chain of audit seals; `fault` names the first broken seal, empty when all is well."""

    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    seals = models.PositiveBigIntegerField(default=0)
    entries = models.PositiveBigIntegerField(default=0)
    fault = models.CharField(max_length=200, blank=True)
