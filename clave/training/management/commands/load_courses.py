import secrets
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.audit import service as audit
from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.training import course_import
from clave.training.models import Body, Import, Stage


class Command(BaseCommand):
    help = "Load a body's courses and enrolments from CSV or XLSX, as an operator: all rows, or --good ones only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rut", help="the training body's, as 76543210-3")
        parser.add_argument("file", type=Path)
        parser.add_argument("--good", action="store_true", help="load the good rows although others are wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        body = Body.objects.filter(rut=options["rut"]).first()
        if body is None:
            raise CommandError("no training body with this RUT")
        bring = Import.objects.create(
            id=secrets.token_hex(16),
            body=body,
            name=options["file"].name,
            content=options["file"].read_bytes(),
            stage=Stage.CHECKED,
            created_at=clock.now(),
        )
        course_import.check(bring)
        for problem in bring.problems:
            self.stderr.write(f"line {problem['line']}, {problem['column']}: {problem['remedy']}")
        if bring.stage == Stage.UNREADABLE or (bring.bad and not options["good"]):
            bring.delete()
            raise CommandError("nothing was loaded")
        audit.record("training.import", SYSTEM, rows=bring.good, body=body.rut)
        course_import.load(bring)
        self.stdout.write(f"{bring.done} rows loaded")
