from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.audit import anchors
from clave.audit.verification import verify


class Command(BaseCommand):
    help = "Verify the audit trail: every seal, every entry, and the seals noted outside the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchors",
            nargs="+",
            type=Path,
            metavar="PATH",
            help="files or folders with noted seals, of all machines; default: audit-anchor*.txt in CLAVE_HOME",
        )

    def handle(self, *, anchors: list[Path] | None, **_others: object) -> None:
        verdict = verify(*anchors_at(anchors))
        for line in (*verdict.events, *verdict.remarks):
            self.stdout.write(line)
        for fault in verdict.faults:
            self.stderr.write(str(fault))
        counted = f"{verdict.seals} seals over {verdict.entries} entries ({verdict.unsealed} not sealed yet)"
        if not verdict.is_intact:
            raise CommandError(f"{counted}: NOT intact, {verdict.fault}")
        self.stdout.write(f"{counted}: intact")


def anchors_at(places: list[Path] | None) -> tuple[set[anchors.Anchor], int]:
    """Return the anchors and the number of unreadable lines at these paths. Raises `CommandError`."""
    try:
        return anchors.read(anchors.files_in(places) if places else anchors.default_files())
    except OSError as error:
        raise CommandError(f"cannot read {error.filename or error}") from None
