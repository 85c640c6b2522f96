from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clave.audit import seals


class Command(BaseCommand):
    help = "Verify the chain of seals over the audit trail; names the first broken seal."

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = seals.verify()
        if verdict.fault:
            raise CommandError(f"broken after {verdict.seals} good seals: {verdict.fault}")
        self.stdout.write(f"{verdict.seals} seals over {verdict.entries} entries: intact")
