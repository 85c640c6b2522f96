"""What an OTEC changes in its own portal or through the API, each with its audit entry in the same transaction."""

from django.db import transaction

from clave.audit import service as audit
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import RequestContext
from clave.training import course_import, tokens
from clave.training.course_import import Row
from clave.training.models import Action, Enrolment, ImportJob, Otec, Stage, Token
from clave.training.tasks import work_on_imports


@transaction.atomic
def revoke_token(token: Token, holder: Holder, context: RequestContext) -> None:
    """Revoke a token: the platforms that use it stop at once."""
    tokens.revoke(token)
    audit.record("token.revoked", context, holder=holder)


@transaction.atomic
def set_return_hosts(otec: Otec, hosts: list[str], holder: Holder, context: RequestContext) -> None:
    """Set the hosts to which answers may go where the installation restricts them (`RCE_RETURN_HOSTS`)."""
    Otec.objects.filter(pk=otec.pk).update(return_hosts=hosts)
    audit.record("body.hosts", context, holder=holder)


@transaction.atomic
def set_receipts(otec: Otec, enabled: bool, holder: Holder, context: RequestContext) -> None:
    """Turn the signed receipt beside an answer's documented fields on or off."""
    Otec.objects.filter(pk=otec.pk).update(receipts=enabled)
    audit.record("body.receipts", context, holder=holder)


@transaction.atomic
def save_action(otec: Otec, row: Row, context: RequestContext) -> None:
    """Create an action or change its data. Raises `TakenCode` if another OTEC has this code."""
    course_import.save_actions(otec, {row.code: row.action})
    audit.record("api.action", context, action_code=row.code)


@transaction.atomic
def enrol(action: Action, runs: list[str], context: RequestContext) -> None:
    """Enrol people in an action."""
    course_import.enrol([(action.pk, run) for run in runs])
    audit.record("api.enrolled", context, action_code=action.code, count=len(runs))


@transaction.atomic
def remove(action: Action, runs: list[str], context: RequestContext) -> int:
    """Remove people from an action and return how many there were; their sessions stay."""
    enrolled = Enrolment.objects.filter(action=action, run__in=runs, removed_at=None)
    changed = enrolled.update(removed_at=clock.now())
    audit.record("api.taken_out", context, action_code=action.code, count=changed)
    return changed


@transaction.atomic
def start_import(job: ImportJob, holder: Holder, context: RequestContext) -> None:
    """Have the worker load a checked table; nothing happens if that was asked for before."""
    if ImportJob.objects.filter(pk=job.pk, stage=Stage.CHECKED).update(stage=Stage.LOADING):
        audit.record("training.import", context, holder=holder, rows=job.good)
        work_on_imports.enqueue()
