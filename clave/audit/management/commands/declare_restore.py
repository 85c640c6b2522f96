from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.audit import seals
from clave.audit.management.commands.verify_audit import anchors_at
from clave.lib.text import unexpected_characters


class Command(BaseCommand):
    help = "Say in the audit trail's chain, signed, that the database was put back to an older copy."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True)
        parser.add_argument("--operator", required=True, help="who declares it")
        parser.add_argument(
            "--anchors", nargs="+", type=Path, metavar="PATH", help="noted seals of all machines, as for verify_audit"
        )

    def handle(self, *, reason: str, operator: str, anchors: list[Path] | None, **_others: object) -> None:
        reason, operator = declared_by(reason, operator)
        noted, _unreadable = anchors_at(anchors)
        try:
            event = seals.declare_restore(reason, operator, noted)
        except seals.UnknownKey as unknown:
            raise CommandError(f"the newest seal's key ({unknown}) is not at hand: see declare_lost_key") from None
        seals.seal_new()
        lost, back_to = len(event.note["lost"]), event.note["back_to"]
        self.stdout.write(f"seal {event.pk} declares the restore: back to seal {back_to}, {lost} noted seals lost")


def declared_by(reason: str, operator: str) -> tuple[str, str]:
    """Return the reason and the operator. Raises `CommandError` if either is empty or not plain text."""
    for name, text in (("reason", reason), ("operator", operator)):
        if not text.strip() or len(text) > 200 or unexpected_characters(text):
            raise CommandError(f"--{name}: give it in plain text, at most 200 characters")
    return reason.strip(), operator.strip()
