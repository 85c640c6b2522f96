from typing import Any

from django.core.management.base import BaseCommand

from clave.sandbox import demo


class Command(BaseCommand):
    help = "Load the demo's holders into an empty store and list them."

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = demo.load()
        if options["verbosity"]:
            self.stdout.write(f"{loaded} demo holders loaded")
            for line in demo.lines():
                self.stdout.write(f"  {line}")
