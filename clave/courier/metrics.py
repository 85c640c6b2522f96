"""The outbox in figures, as Prometheus reads them."""

from collections.abc import Iterator

from django.db.models import Count, Min, Q, Sum

from clave.core import clock
from clave.courier.models import Message, State
from clave.courier.service import late_messages


def lines() -> Iterator[str]:
    """Yield the lines of the text format."""
    rows = Message.objects.values("channel", "state").annotate(n=Count("pk")).order_by("channel", "state")
    yield "# TYPE clave_messages gauge"
    for row in rows:
        yield f'clave_messages{{channel="{row["channel"]}",state="{row["state"]}"}} {row["n"]}'
    figures = Message.objects.aggregate(oldest=Min("created_at", filter=Q(state=State.PENDING)))
    age = (clock.now() - figures["oldest"]).total_seconds() if figures["oldest"] else 0
    yield "# TYPE clave_oldest_message_seconds gauge"
    yield f"clave_oldest_message_seconds {age:.0f}"
    yield "# TYPE clave_messages_late gauge"
    yield f"clave_messages_late {late_messages()}"
    yield "# HELP clave_messages_tried_again sends beyond the first: an upper bound on duplicates"
    yield "# TYPE clave_messages_tried_again gauge"
    again = Message.objects.filter(tries__gt=1).aggregate(n=Sum("tries"), rows=Count("pk"))
    yield f"clave_messages_tried_again {(again['n'] or 0) - again['rows']}"
