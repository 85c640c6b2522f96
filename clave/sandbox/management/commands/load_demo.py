from django.core.management.base import BaseCommand

from clave.sandbox import demo


class Command(BaseCommand):
    help = "Load the demo's holders into an empty store and list them."

    def handle(self, *, verbosity: int, **_others: object) -> None:
        loaded = demo.load()
        if verbosity:
            self.stdout.write(f"{loaded} demo holders loaded")
            for line in demo.lines():
                self.stdout.write(f"  {line}")
