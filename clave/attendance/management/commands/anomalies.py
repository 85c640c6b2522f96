from datetime import timedelta

from django.core.management.base import BaseCommand, CommandParser

from clave.attendance import anomalies
from clave.lib import clock


class Command(BaseCommand):
    help = "List openings by many people from one address, seconds apart: possibly one hand with collected keys."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=7)
        parser.add_argument("--people", type=int, default=anomalies.PEOPLE)

    def handle(self, *, days: int, people: int, **_others: object) -> None:
        since = clock.now() - timedelta(days=days)
        for cluster in anomalies.clusters(since, people):
            when = cluster.since.astimezone(clock.SANTIAGO).strftime("%d-%m-%Y %H:%M:%S")
            length = int((cluster.until - cluster.since).total_seconds())
            self.stdout.write(
                f"{when}  {cluster.people} people in {length} s  from {cluster.address}  OTEC {cluster.otec}"
            )
