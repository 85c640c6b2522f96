"""Data retention: a job deletes or pseudonymises expired data (Ley 21.719, principle of proportionality)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from clave.attendance.models import ActiveSession
from clave.audit import service as audit
from clave.backoffice.models import OperatorAction
from clave.documents import service as documents
from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.privacy.models import Answer, Petition
from clave.privacy.service import new_pseudonym
from clave.selfservice.models import Decision, FacilitatorRequest
from clave.training.models import AccountLookup, Action, Enrolment

BATCH = 500


def _cutoff(what: str) -> datetime:
    return clock.now() - timedelta(days=settings.RETENTION_DAYS[what])


def purge_expired() -> dict[str, object]:
    """Purge expired data, a batch of each kind; return the number of records by kind."""
    answered = Petition.objects.exclude(state=Answer.PENDING)
    purged: dict[str, Any] = {
        "operator_actions": OperatorAction.objects.filter(at__lt=_cutoff("operator_actions")).delete()[0],
        "lookups": AccountLookup.objects.filter(day__lt=_cutoff("operator_actions").date()).delete()[0],
        "petitions": answered.filter(decided_at__lt=_cutoff("petitions")).delete()[0],
        "facilitator_documents": _documents(),
        "attendance": _attendance(),
    }
    if any(purged.values()):
        audit.record("privacy.retention", SYSTEM, **purged)
    return purged


def _documents() -> int:
    """Delete documents and personal data of decided requests; folio and decision are kept."""
    expired = FacilitatorRequest.objects.exclude(state=Decision.PENDING).filter(
        decided_at__lt=_cutoff("facilitator_documents"), affidavit__isnull=False
    )
    requests = list(expired.select_related("affidavit", "identity")[:BATCH])
    for request in requests:
        with transaction.atomic():
            papers = [paper for paper in (request.affidavit, request.identity) if paper]
            FacilitatorRequest.objects.filter(pk=request.pk).update(
                affidavit=None, identity=None, names="", surnames="", email="", answer_hash="", question=""
            )
            documents.throw_away(*papers)
    return len(requests)


def _attendance() -> int:
    """Pseudonymise attendance of expired courses, with a random pseudonym for each person and course.

    Finished actions are marked and not examined again, because their number only grows.
    """
    ended = clock.today() - timedelta(days=settings.RETENTION_DAYS["attendance"])
    expired = list(Action.objects.filter(anonymised_at=None, ends__lt=ended).order_by("ends")[:BATCH])
    rows = list(_named(expired).exclude(pk__in=ActiveSession.objects.values("enrolment"))[:BATCH])
    for row in rows:
        row.run = new_pseudonym()
    with transaction.atomic():
        Enrolment.objects.bulk_update(rows, ["run"])
        unfinished = set(_named(expired).values_list("action", flat=True))
        done = [action.pk for action in expired if action.pk not in unfinished]
        Action.objects.filter(pk__in=done).update(anonymised_at=clock.now())
    return len(rows)


def _named(actions: list[Action]) -> QuerySet[Enrolment]:
    return Enrolment.objects.filter(action__in=actions).exclude(run__startswith="X")
