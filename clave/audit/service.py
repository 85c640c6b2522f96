"""Recording what happened. Call it inside the use case's transaction."""

from typing import Any

from clave.audit.models import Entry
from clave.db.hot_queries import insert
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.request_context import RequestContext


def record(
    action: str, context: RequestContext, *, holder: Holder | None = None, outcome: str = "ok", **detail: Any
) -> None:
    """Append one entry: `action` as room.verb, who it concerns, from where, and its outcome.

    `detail` takes codes and counts only: never a key, an answer, a token or a contact.
    """
    insert(entry_of(action, context, holder=holder, outcome=outcome, **detail))


def entry_of(
    action: str, context: RequestContext, *, holder: Holder | None = None, outcome: str = "ok", **detail: Any
) -> Entry:
    """Return the entry that `record` would append, to be inserted together with what it tells of."""
    return Entry(
        at=clock.now(),
        action=action,
        outcome=outcome,
        subject=str(holder.pk) if holder else "",
        address=context.address,
        agent=context.agent,
        detail=detail,
    )
