"""Operators, their credentials, proposals and actions."""

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from clave.holders.models import Holder
from clave.lib.crypto import EncryptedTextField


class Role(models.TextChoices):
    """The role of an operator (mission.md, section 9)."""

    AGENT = "agente", _("Agente")
    REVIEWER = "revisor", _("Revisor")
    SUPERVISOR = "supervisor", _("Supervisor")
    AUDITOR = "auditor", _("Auditor")


class Operator(models.Model):
    """A member of the help desk. `hash` is empty until the invitation is accepted.

    `totp_step` is the last time step whose code was used: each code is valid once.
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

    # Not stored: counts of what awaits a second person, for the page's menu.
    changes_waiting = proposals_waiting = 0

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="operator_email_once")]

    @property
    def is_ready(self) -> bool:
        return bool(self.active and self.hash and self.totp_secret)


class Power(models.TextChoices):
    """A change that extends an operator's power and therefore requires two supervisors (decision 0026)."""

    INVITE = "invite", _("Invitar")
    REINVITE = "reinvite", _("Invitar otra vez (clave y códigos nuevos)")
    ROLE = "role", _("Cambiar el rol")
    REACTIVATE = "reactivate", _("Reactivar")


class Proposal(models.Model):
    """A change about an operator proposed by one supervisor and carried out when another one confirms it.

    `subject` is null until a new operator has been invited, `confirmed` while the proposal is pending.
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
    """A WebAuthn credential. `credential` and `public_key` are base64url; `count` is the last sign count seen."""

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="passkeys")
    credential = models.CharField(max_length=400, unique=True)
    public_key = models.TextField()
    count = models.BigIntegerField(default=0)
    label = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Reason(models.TextChoices):
    """The reason for an operator's access or action."""

    CALL = "call", _("La persona llamó")
    CLAIM = "claim", _("Reclamo escrito")
    REQUEST = "request", _("Revisión de una solicitud")
    FRAUD = "fraud", _("Sospecha de uso indebido")
    OTHER = "other", _("Otro motivo")


class Kind(models.TextChoices):
    """The kind of an operator's action."""

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
    """An operator's action on an account, with the reason: for the two-person rule, the workload and the holder.

    The audit trail is the sealed evidence; this is a copy that is fast to query.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="operator_actions")
    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="operator_actions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=10, choices=Reason.choices)
    note = models.CharField(max_length=200, blank=True)
    # Whether it concerns a change of the holder's e-mail: the same operator may not send a key there.
    moved = models.BooleanField(default=False)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["holder", "-at"], name="operator_actions_on_holder")]


class ApiToken(models.Model):
    """A supervisor's token for the management API: 256 random bits, of which only the SHA-256 is kept.

    It can do what its operator can do, and ends when the operator is suspended or has another role.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="api_tokens")
    label = models.CharField(max_length=60)
    hash = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class ChainReading(models.Model):
    """A verification of the whole chain of audit seals; `fault` names the first broken seal, empty if there is none."""

    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    seals = models.PositiveBigIntegerField(default=0)
    entries = models.PositiveBigIntegerField(default=0)
    fault = models.CharField(max_length=200, blank=True)
