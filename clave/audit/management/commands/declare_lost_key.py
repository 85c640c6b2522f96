from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.audit import seals
from clave.audit.management.commands.declare_restore import declared_by


class Command(BaseCommand):
    help = "Say in the audit trail's chain that the key it was sealed under is lost, and go on under the present one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True)
        parser.add_argument("--operator", required=True, help="who declares it")

    def handle(self, *, reason: str, operator: str, **_others: object) -> None:
        reason, operator = declared_by(reason, operator)
        try:
            event = seals.declare_lost_key(reason, operator)
        except ValueError as error:
            raise CommandError(str(error)) from None
        seals.seal_new()
        self.stdout.write(f"seal {event.pk} declares the key {event.note['former']} lost")
