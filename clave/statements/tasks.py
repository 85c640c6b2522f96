"""The papers of statements are made by the worker: typesetting and signing would weigh on a page."""

import structlog
from django_tasks import task

from clave.core.timetable import every
from clave.statements.models import Statement

log = structlog.get_logger(__name__)


@every(5)
@task()
def make_papers() -> int:
    """Make the PDF of every statement that has none. Returns how many were made."""
    waiting = list(Statement.objects.filter(digest="").order_by("issued_at")[:100])
    if not waiting:
        return 0
    from clave.statements import paper

    made = 0
    for statement in waiting:
        try:
            paper.keep(statement)
            made += 1
        except Exception:  # one that cannot be made must not stop the others; it is tried again
            log.exception("statement.paper", folio=statement.folio)
    return made
