"""How long what is kept; a job lets go of what is over (Ley 21.719, principle of proportionality)."""

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


def _before(what: str) -> datetime:
    return clock.now() - timedelta(days=settings.RETENTION_DAYS[what])


def purge_expired() -> dict[str, object]:
    """Let go of what is over, a batch of each; return how much of what."""
    answered = Petition.objects.exclude(state=Answer.PENDING)
    gone: dict[str, Any] = {
        "operator_actions": OperatorAction.objects.filter(at__lt=_before("operator_actions")).delete()[0],
        "lookups": AccountLookup.objects.filter(day__lt=_before("operator_actions").date()).delete()[0],
        "petitions": answered.filter(decided_at__lt=_before("petitions")).delete()[0],
        "facilitator_documents": _documents(),
        "attendance": _attendance(),
    }
    if any(gone.values()):
        audit.record("privacy.retention", SYSTEM, **gone)
    return gone


def _documents() -> int:
    """A decided request keeps its folio and its decision; its papers and the person's data go."""
    over = FacilitatorRequest.objects.exclude(state=Decision.PENDING).filter(
        decided_at__lt=_before("facilitator_documents"), affidavit__isnull=False
    )
    found = list(over.select_related("affidavit", "identity")[:BATCH])
    for asked in found:
        with transaction.atomic():
            papers = [paper for paper in (asked.affidavit, asked.identity) if paper]
            FacilitatorRequest.objects.filter(pk=asked.pk).update(
                affidavit=None, identity=None, names="", surnames="", email="", answer_hash="", question=""
            )
            documents.throw_away(*papers)
    return len(found)


def _attendance() -> int:
    """Marks of courses long over stay under a random name, one for each person and course.

    An action whose roster is done is not looked at again: there will be ever more of them.
    """
    ended = clock.today() - timedelta(days=settings.RETENTION_DAYS["attendance"])
    over = list(Action.objects.filter(anonymised_at=None, ends__lt=ended).order_by("ends")[:BATCH])
    rows = list(_named(over).exclude(pk__in=ActiveSession.objects.values("enrolment"))[:BATCH])
    for row in rows:
        row.run = new_pseudonym()
    with transaction.atomic():
        Enrolment.objects.bulk_update(rows, ["run"])
        waiting = set(_named(over).values_list("action", flat=True))
        done = [action.pk for action in over if action.pk not in waiting]
        Action.objects.filter(pk__in=done).update(anonymised_at=clock.now())
    return len(rows)


def _named(actions: list[Action]) -> QuerySet[Enrolment]:
    return Enrolment.objects.filter(action__in=actions).exclude(run__startswith="X")
