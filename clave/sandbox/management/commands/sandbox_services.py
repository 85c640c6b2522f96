from django.core.management.base import BaseCommand, CommandParser

from clave.sandbox import services


class Command(BaseCommand):
    help = "Serve the simulated Registro Civil, SMS gateway and mail server on the loopback address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("http_port", type=int)
        parser.add_argument("smtp_port", type=int)

    def handle(self, *, http_port: int, smtp_port: int, **_others: object) -> None:
        services.serve(http_port, smtp_port).serve_forever()
