"""Registration of relying applications from the command line."""

import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.lib.request_context import SYSTEM
from clave.sso import claims, client_rules, clients
from clave.sso.models import Client, ClientKind, Dialect, SubjectType


class Command(BaseCommand):
    help = "Register a relying application, or give it a new secret. The secret is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        create = commands.add_parser("create", help="register an application")
        create.add_argument("--name", required=True)
        create.add_argument("--redirect-uri", action="append", required=True, dest="redirect_uris")
        create.add_argument("--post-logout-redirect-uri", action="append", default=[], dest="post_logout_redirect_uris")
        create.add_argument("--backchannel-logout-uri", default="")
        create.add_argument("--frontchannel-logout-uri", default="")
        create.add_argument("--scope", action="append", dest="scopes", choices=claims.ALL, help="default: all")
        create.add_argument("--kind", choices=ClientKind.values, default=ClientKind.SECRET)
        create.add_argument("--dialect", choices=Dialect.values, default=Dialect.STANDARD)
        create.add_argument("--subject-type", choices=SubjectType.values, default=SubjectType.PAIRWISE)
        create.add_argument("--id-token-alg", choices=["ES256", "RS256"], default="ES256", dest="id_token_algorithm")
        create.add_argument("--jwks", default="{}", type=json.loads, help="the public keys, as JSON (RFC 7517)")
        create.add_argument("--no-pkce", action="store_false", dest="requires_pkce")
        create.add_argument("--resource-server", action="store_true", dest="is_resource_server")
        rotate = commands.add_parser("rotate-secret", help="give an application a new secret")
        rotate.add_argument("client_id")
        rotate.add_argument("--at-once", action="store_true", help="the old secret became known: it ends now")
        for each in (create, rotate):
            each.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: object, action: str, as_json: bool, **options: object) -> None:
        fields = {name for name in options if name in {field.name for field in Client._meta.get_fields()}}
        if action == "create":
            client, secret = self.create({name: options[name] for name in fields})
        else:
            client, secret = self.rotate(str(options["client_id"]), at_once=bool(options["at_once"]))
        shown = {"client_id": client.client_id, "client_secret": secret}
        self.stdout.write(
            json.dumps(shown) if as_json else "\n".join(f"{name}: {text}" for name, text in shown.items())
        )

    def create(self, fields: dict[str, object]) -> tuple[Client, str]:
        """Register an application. Raises `CommandError` with what is wrong, by field."""
        client = Client(**fields | {"scopes": fields["scopes"] or list(claims.ALL)})
        client_rules.prepare(client)
        if found := client_rules.problems(client):
            raise CommandError("\n".join(f"{field}: {problem}" for field, problem in found.items()))
        return client, clients.create(client, SYSTEM)

    def rotate(self, client_id: str, *, at_once: bool) -> tuple[Client, str]:
        """Give an application a new secret. Raises `CommandError` if there is none, or it uses none."""
        client = clients.find(client_id)
        if client is None or client.kind != ClientKind.SECRET:
            raise CommandError(f"no application with a secret: {client_id}")
        return client, clients.rotate_secret(client, SYSTEM, at_once=at_once)
