"""Attendance marks. Openings, endings and corrections are facts: written once, never changed or deleted."""

from django.db import models

from clave.lib.crypto import random_id
from clave.training.models import Enrolment, Token


class EndKind(models.TextChoices):
    """How a session ended. Only closed sessions are credited."""

    CLOSED = "closed", "cerrada"
    LOST = "lost", "perdida"
    ABANDONED = "abandoned", "abandonada"


class SessionStart(models.Model):
    """The opening of a session. `public` is its IdSesionSence, `client_session` the platform's own id."""

    public = models.CharField(max_length=40, unique=True, default=random_id)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="openings")
    token = models.ForeignKey(Token, on_delete=models.PROTECT)
    client_session = models.CharField(max_length=149)
    opened_at = models.DateTimeField()
    limit_at = models.DateTimeField()
    address = models.CharField(max_length=45)

    class Meta:
        indexes = [models.Index(fields=["opened_at"], name="opening_by_time")]


class SessionEnd(models.Model):
    """The end of a session, at most one. `seconds` is its credit: its duration if closed, otherwise zero."""

    opening = models.OneToOneField(SessionStart, on_delete=models.PROTECT, primary_key=True, related_name="ending")
    kind = models.CharField(max_length=10, choices=EndKind.choices)
    at = models.DateTimeField()
    seconds = models.PositiveIntegerField()
    address = models.CharField(max_length=45, blank=True)


class Correction(models.Model):
    """An operator's adjustment of a session's credited seconds, with the reason. The marks stay as they are."""

    opening = models.ForeignKey(SessionStart, on_delete=models.PROTECT, related_name="corrections")
    seconds = models.IntegerField()
    reason = models.CharField(max_length=300)
    operator = models.CharField(max_length=60)
    at = models.DateTimeField()


class ActiveSession(models.Model):
    """Pointer to the session an enrolment has open now. Its primary key prevents a second one."""

    enrolment = models.OneToOneField(Enrolment, on_delete=models.PROTECT, primary_key=True, related_name="running")
    opening = models.OneToOneField(SessionStart, on_delete=models.PROTECT, related_name="running")
    limit_at = models.DateTimeField(db_index=True)
    warned = models.BooleanField(default=False)


class WarningOptOut(models.Model):
    """A participant who does not want the warning before a session's time limit."""

    run = models.CharField(max_length=12, primary_key=True)
