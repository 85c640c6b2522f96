"""The papers of statements are made by the worker: typesetting and signing would weigh on a page."""

from django_tasks import task

from clave.lib.schedule import every
from clave.statements.models import Statement


@every(5)
@task()
def make_papers() -> int:
    """Make the PDF of every statement that has none. Returns how many were made."""
    waiting = list(Statement.objects.filter(digest="").defer("pdf").order_by("issued_at")[:100])
    if not waiting:
        return 0
    from clave.statements import paper

    return paper.keep(waiting)
