from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.statements import service


class Command(BaseCommand):
    help = "Answer a request that a sworn statement be annulled: approve (it may be issued again) or reject."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folio")
        parser.add_argument("answer", choices=["approve", "reject"])
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        statement = service.find(options["folio"])
        if statement is None or not service.decide(statement, options["answer"] == "approve", options["reason"]):
            raise CommandError("no statement with this folio whose annulment was asked for")
