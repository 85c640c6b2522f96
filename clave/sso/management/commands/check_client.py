"""The eight points of a certification, run against an integrator's application."""

import json

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.sso import clients
from clave.sso.certification import service
from clave.sso.certification.person import Person
from clave.sso.certification.points import Verdict

_MARKS = {Verdict.PASSED: "ok    ", Verdict.FAILED: "FAIL  ", Verdict.UNSEEN: "unseen"}


class Command(BaseCommand):
    help = "Visit an application that relies on Clave and judge the eight points of a certification. Fails if one does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client_id")
        parser.add_argument("--application", required=True, help="the page that has the button, or the sign-in address")
        parser.add_argument("--logout", default="", help="the application's sign-out address, if no link shows it")
        parser.add_argument("--person", nargs=2, metavar=("RUT", "KEY"), help="a test person (only in a demo)")
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(
        self,
        *args: object,
        client_id: str,
        application: str,
        logout: str,
        person: list[str] | None,
        as_json: bool,
        **options: object,
    ) -> None:
        client = clients.find(client_id)
        if client is None:
            raise CommandError(f"no such application: {client_id}")
        if person and not settings.CLAVE_DEMO:
            raise CommandError("a person signs in only in a demo: nobody's key belongs on a command line")
        found = service.run(client, application, Person(*person) if person else None, logout)
        if as_json:
            rows = [{"point": each.point, "verdict": each.verdict.value, "words": each.words} for each in found]
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
        else:
            self.stdout.write(
                "\n".join(f"{_MARKS[each.verdict]} {each.point} {each.title}: {each.words}" for each in found)
            )
        if any(each.verdict is Verdict.FAILED for each in found):
            raise CommandError("some points are not met")
