from typing import Any

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

    def handle(self, *args: Any, **options: Any) -> None:
        opening = SessionStart.objects.filter(public=options["session"]).first()
        if opening is None:
            raise CommandError("no such session")
        try:
            sessions.correct(opening, options["seconds"], options["reason"], options["operator"])
        except ValueError as error:
            raise CommandError(str(error)) from None
