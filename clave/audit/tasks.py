from django_tasks import task

from clave.audit import seals
from clave.core.timetable import every


@every(30)
@task()
def seal() -> int:
    """Seal what has been recorded since the last time."""
    return seals.seal_new()
