import structlog
from django_tasks import task

from clave.audit import seals
from clave.lib.schedule import every

log = structlog.get_logger(__name__)


@every(30)
@task()
def seal() -> int:
    """Seal what has been recorded since the last run."""
    try:
        return seals.seal_new()
    except seals.UnknownKey as unknown:
        log.error("audit.unknown_key", key_id=str(unknown))
        return 0
