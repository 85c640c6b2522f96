"""Training bodies (OTEC), their tokens, courses and enrolments.

Source: mission.md, section 8; rce-protocol.md, sections 1 and 2.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from clave.holders.models import Holder


class Line(models.IntegerChoices):
    """LineaCapacitacion: the programme that pays for a course."""

    SOCIAL = 1, "Programas Sociales"
    FRANQUICIA = 3, "Franquicia Tributaria"
    FPT = 6, "FPT"


class Modality(models.TextChoices):
    """How a course is taught. Only e-learning is marked session by session."""

    ELEARNING = "elearning", _("e-learning")
    CLASSROOM = "presencial", _("presencial")


class State(models.TextChoices):
    """Status of an action, apart from its dates."""

    ACTIVE = "vigente", _("vigente")
    FINISHED = "terminada", _("terminada")
    ANNULLED = "anulada", _("anulada")


class Otec(models.Model):
    """A training body. `return_hosts` are the hosts allowed for its responses if `RCE_RETURN_HOSTS` is `registered`."""

    rut = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    active = models.BooleanField(default=True)
    return_hosts = models.JSONField(default=list, blank=True)
    # Whether responses carry a signed token in addition to the documented fields; on the OTEC's request.
    receipts = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.rut} {self.name}"


class Token(models.Model):
    """A credential of an OTEC's learning platform. Only its keyed hash is stored; `hint` is its last four characters.

    `fingerprint` is the encrypted input of the keyed hash, from which it can be recomputed under another key.
    """

    otec = models.ForeignKey(Otec, on_delete=models.CASCADE, related_name="tokens")
    label = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    fingerprint = models.TextField(blank=True)
    hint = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)


class Action(models.Model):
    """One run of a course: `code` is its CodigoCurso, `cod_sence` the course's code (empty in line 1)."""

    otec = models.ForeignKey(Otec, on_delete=models.PROTECT, related_name="actions")
    code = models.CharField(max_length=50, unique=True)
    cod_sence = models.CharField(max_length=10, blank=True)
    name = models.CharField(max_length=160)
    line = models.PositiveSmallIntegerField(choices=Line.choices)
    modality = models.CharField(max_length=10, choices=Modality.choices)
    hours = models.PositiveSmallIntegerField()
    starts = models.DateField()
    ends = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    # When retention replaced the last RUN enrolled here; reset to null when the action or its roster changes.
    anonymised_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["otec", "-starts", "code"], name="action_of_body_by_start"),
            models.Index(fields=["otec", "-ends"], name="action_of_body_by_end"),
            models.Index(fields=["anonymised_at", "ends"], name="action_to_anonymise"),
        ]

    def __str__(self) -> str:
        return self.code


class Enrolment(models.Model):
    """A person, by RUN, in an action. Removal only sets `removed_at`, because attendance marks may refer to the row."""

    action = models.ForeignKey(Action, on_delete=models.PROTECT, related_name="enrolments")
    run = models.CharField(max_length=12, db_index=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "run"], name="enrolled_once")]


class Stage(models.TextChoices):
    """Progress of an import."""

    RECEIVED = "received", _("recibida")
    CHECKED = "checked", _("revisada")
    LOADING = "loading", _("cargando")
    LOADED = "loaded", _("cargada")
    UNREADABLE = "unreadable", _("ilegible")


class ImportJob(models.Model):
    """A table of courses and enrolments uploaded by an OTEC: first validated, then loaded in chunks.

    `done` counts the rows already loaded and is updated in the transaction that loads them, so another worker can
    resume there. `problems` holds the first ones found, as line, column and remedy. Loading deletes the content.
    """

    id = models.CharField(max_length=32, primary_key=True)
    otec = models.ForeignKey(Otec, on_delete=models.CASCADE)
    name = models.CharField(max_length=120)
    content = models.BinaryField()
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.RECEIVED)
    reason = models.CharField(max_length=10, blank=True)
    total = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    preview = models.JSONField(default=list)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["stage", "created_at"], name="import_by_stage")]

    @property
    def good(self) -> int:
        return self.total - self.bad


class ReviewAllowance(models.Model):
    """How many RUNs an OTEC has queried recently: a leaky counter, with `asked` as of `at`."""

    otec = models.OneToOneField(Otec, on_delete=models.CASCADE, primary_key=True)
    asked = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()


class AccountLookup(models.Model):
    """A disclosure to an OTEC, on one day in Santiago, of whether a participant of its own has a key.

    One row per day however often it asked; the holder can see it. Nothing is stored about people without an account.
    """

    holder = models.ForeignKey(Holder, on_delete=models.CASCADE, related_name="lookups")
    otec = models.ForeignKey(Otec, on_delete=models.CASCADE)
    day = models.DateField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["holder", "day", "otec"], name="one_lookup_a_day")]
