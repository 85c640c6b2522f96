import secrets
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.audit import service as audit
from clave.lib import clock
from clave.lib.request_context import SYSTEM
from clave.training import course_import
from clave.training.models import ImportJob, Otec, Stage


class Command(BaseCommand):
    help = "Load a body's courses and enrolments from CSV or XLSX, as an operator: all rows, or --good ones only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rut", help="the training body's, as 76543210-3")
        parser.add_argument("file", type=Path)
        parser.add_argument("--good", action="store_true", help="load the good rows although others are wrong")

    def handle(self, *, rut: str, file: Path, good: bool, **_others: object) -> None:
        otec = Otec.objects.filter(rut=rut).first()
        if otec is None:
            raise CommandError("no training body with this RUT")
        job = ImportJob.objects.create(
            id=secrets.token_hex(16),
            otec=otec,
            name=file.name,
            content=file.read_bytes(),
            stage=Stage.CHECKED,
            created_at=clock.now(),
        )
        course_import.check(job)
        for problem in job.problems:
            self.stderr.write(f"line {problem['line']}, {problem['column']}: {problem['remedy']}")
        if job.stage == Stage.UNREADABLE or (job.bad and not good):
            job.delete()
            raise CommandError("nothing was loaded")
        audit.record("training.import", SYSTEM, rows=job.good, otec=otec.rut)
        course_import.load(job)
        self.stdout.write(f"{job.done} rows loaded")
