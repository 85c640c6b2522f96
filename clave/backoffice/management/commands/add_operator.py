from django.core.management.base import BaseCommand, CommandParser

from clave.backoffice import operator_accounts
from clave.backoffice.models import Role
from clave.lib.request_context import SYSTEM


class Command(BaseCommand):
    help = "Invite an operator of the back office; prints the code to activate the account with. Needed for the first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name")
        parser.add_argument("--role", choices=Role.values, default=Role.SUPERVISOR.value)

    def handle(self, *, email: str, name: str, role: str, **_others: object) -> None:
        code = operator_accounts.invite(email, name, role, None, SYSTEM)
        self.stdout.write(f"Invitation code (48 hours): {code}")
