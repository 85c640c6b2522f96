"""The outbox in figures, for Prometheus."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min, Sum
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from clave.lib import clock
from clave.notifications.models import Message, State
from clave.notifications.outbox import late_messages


class OutboxCollector(Collector):
    """Asks the store whenever it is read, so that every web process tells the same.

    Counts are of the last 24 hours: what they cost does not grow with age.
    """

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; times are seconds."""
        lately = Message.objects.filter(created_at__gt=clock.now() - timedelta(days=1))
        messages = GaugeMetricFamily("clave_messages", "messages of the last 24 hours", labels=["channel", "state"])
        rows = lately.values("channel", "state").annotate(n=Count("pk")).order_by("channel", "state")
        for row in rows:
            messages.add_metric([row["channel"], row["state"]], row["n"])
        yield messages

        oldest = Message.objects.filter(state=State.PENDING).aggregate(oldest=Min("created_at"))["oldest"]
        age = (clock.now() - oldest).total_seconds() if oldest else 0
        yield GaugeMetricFamily("clave_oldest_message_seconds", "age of the oldest message that waits", value=age)
        yield GaugeMetricFamily("clave_messages_late", "messages that have waited too long", value=late_messages())

        again = lately.filter(tries__gt=1).aggregate(n=Sum("tries"), rows=Count("pk"))
        yield GaugeMetricFamily(
            "clave_messages_tried_again",
            "sends beyond the first in 24 hours: an upper bound on duplicates",
            value=(again["n"] or 0) - again["rows"],
        )
