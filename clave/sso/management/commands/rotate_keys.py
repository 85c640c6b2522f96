"""Rotation of the keys that sign tokens."""

from django.core.management.base import BaseCommand, CommandParser

from clave.sso import signing_keys


class Command(BaseCommand):
    help = "Make new signing keys. They are published now and sign after a day; the old ones stay valid meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at-once", action="store_true", help="sign with the new keys now")
        parser.add_argument(
            "--forget-old", action="store_true", help="an old key became known: no longer publish it, sign with the new"
        )

    def handle(self, *args: object, at_once: bool, forget_old: bool, **options: object) -> None:
        for key in signing_keys.rotate(at_once=at_once, forget_old=forget_old):
            self.stdout.write(f"{key.algorithm} {key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M} UTC")
