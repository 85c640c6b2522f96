from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.attendance import sessions
from clave.attendance.models import SessionStart


class Command(BaseCommand):
    help = "Add to (or take from) a session's credited seconds, with a reason. The marks themselves stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("session", help="IdSesionSence")
        parser.add_argument("seconds", type=int)
        parser.add_argument("--reason", required=True)
        parser.add_argument("--operator", required=True)

    def handle(self, *, session: str, seconds: int, reason: str, operator: str, **_others: object) -> None:
        opening = SessionStart.objects.filter(public=session).first()
        if opening is None:
            raise CommandError("no such session")
        try:
            sessions.correct(opening, seconds, reason, operator)
        except ValueError as error:
            raise CommandError(str(error)) from None
