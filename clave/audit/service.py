"""Recording of audit events. Call it inside the use case's transaction."""

from clave.audit.models import Entry
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import RequestContext


def record(
    action: str, context: RequestContext, *, holder: Holder | None = None, outcome: str = "ok", **detail: object
) -> None:
    """Append one entry: `action` as area.verb, the holder concerned, the origin and the outcome.

    `detail` takes codes and counts only: never a key, an answer, a token or a contact.
    """
    Entry.objects.create(
        at=clock.now(),
        action=action,
        outcome=outcome,
        subject=str(holder.pk) if holder else "",
        address=context.address,
        agent=context.agent,
        detail=detail,
    )
