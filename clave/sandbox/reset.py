"""Reset of the demo: the database is left with the demo's data only."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from clave.attendance.models import WarningOptOut
from clave.backoffice.models import ApiToken, Operator, Proposal
from clave.credentials.models import Attempts
from clave.documents.models import Document
from clave.holders.models import Holder
from clave.notifications.models import Message
from clave.privacy.models import Petition
from clave.rce.models import PendingRequest
from clave.sandbox import demo, services
from clave.selfservice.models import FacilitatorRequest, Waiting
from clave.signin.models import Session
from clave.sso.models import Client
from clave.statements.models import Statement
from clave.training.models import Action, Enrolment, Otec
from clave.web.models import Submission

# Append-only tables, which only the database's owner can empty, in deletion order.
MARKS = ["attendance_activesession", "attendance_correction", "attendance_sessionend", "attendance_sessionstart"]

COURSES = (Statement, PendingRequest, WarningOptOut, Enrolment, Action, Otec)


@contextmanager
def as_owner() -> Iterator[CursorWrapper]:
    """Yield a cursor with triggers disabled, which only the database's owner can do."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET session_replication_role = replica")
            yield cursor
            cursor.execute("SET session_replication_role = DEFAULT")
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            yield cursor
            for _, sql in triggers:
                cursor.execute(sql)


def reset_demo() -> None:
    """Delete everything users did and reload the demo data. The audit trail stays."""
    with transaction.atomic():
        with as_owner() as cursor:
            for table in MARKS:
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608 (names from the list above)
        for model in (
            *COURSES,
            FacilitatorRequest,
            Waiting,
            Document,
            Holder,
            Attempts,
            Message,
            Submission,
            Session,
            Proposal,
            ApiToken,
            Operator,
            Client,
            Petition,
        ):
            model.objects.all().delete()
        demo.load()
    for name in ("inspector.jsonl", "inspector-older.jsonl", "inspector-wishes.json", "clock-offset"):
        (settings.CLAVE_HOME / name).unlink(missing_ok=True)
    for file in services.mailbox().glob("*.json"):
        file.unlink()
