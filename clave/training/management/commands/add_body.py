from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.lib import clock
from clave.lib.rut import InvalidRut, Rut
from clave.training.models import Otec


class Command(BaseCommand):
    help = "Register a training body (OTEC) or change its name; --suspend stops its platforms, --resume lets them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rut")
        parser.add_argument("name")
        parser.add_argument("--suspend", action="store_true")
        parser.add_argument("--resume", action="store_true")

    def handle(self, *, rut: str, name: str, suspend: bool, resume: bool, **_others: object) -> None:
        try:
            parsed = Rut.parse(rut)
        except InvalidRut:
            raise CommandError("the RUT is not valid") from None
        changes: dict[str, object] = {"name": name}
        if suspend or resume:
            changes["active"] = resume
        _otec, created = Otec.objects.update_or_create(
            rut=str(parsed), defaults=changes, create_defaults={**changes, "created_at": clock.now()}
        )
        self.stdout.write("registered" if created else "changed")
