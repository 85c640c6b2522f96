"""Production of statement PDFs in the worker: typesetting and signing are too slow for a page."""

from django_tasks import task

from clave.lib.schedule import every
from clave.statements.models import Statement


@every(5)
@task()
def make_papers() -> int:
    """Produce the PDF of each statement without one. Return the number produced."""
    pending = list(Statement.objects.filter(digest="").defer("pdf").order_by("issued_at")[:100])
    if not pending:
        return 0
    from clave.statements import paper

    return paper.keep(pending)
