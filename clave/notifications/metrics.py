"""Prometheus metrics of the outbox."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min, Sum

from clave.lib import clock
from clave.notifications.models import Message, State
from clave.notifications.outbox import late_messages


def lines() -> Iterator[str]:
    """Yield the metrics in text format. Counts cover 24 hours, so that the queries do not slow down over time."""
    recent = Message.objects.filter(created_at__gt=clock.now() - timedelta(days=1))
    rows = recent.values("channel", "state").annotate(n=Count("pk")).order_by("channel", "state")
    yield "# HELP clave_messages messages of the last 24 hours"
    yield "# TYPE clave_messages gauge"
    for row in rows:
        yield f'clave_messages{{channel="{row["channel"]}",state="{row["state"]}"}} {row["n"]}'
    oldest = Message.objects.filter(state=State.PENDING).aggregate(oldest=Min("created_at"))["oldest"]
    age = (clock.now() - oldest).total_seconds() if oldest else 0
    yield "# TYPE clave_oldest_message_seconds gauge"
    yield f"clave_oldest_message_seconds {age:.0f}"
    yield "# TYPE clave_messages_late gauge"
    yield f"clave_messages_late {late_messages()}"
    yield "# HELP clave_messages_tried_again sends beyond the first in 24 hours: an upper bound on duplicates"
    yield "# TYPE clave_messages_tried_again gauge"
    retried = recent.filter(tries__gt=1).aggregate(n=Sum("tries"), rows=Count("pk"))
    yield f"clave_messages_tried_again {(retried['n'] or 0) - retried['rows']}"
