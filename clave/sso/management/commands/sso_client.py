"""Registration of relying applications from the command line."""

import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clave.holders.models import Profile
from clave.lib.outcome import Refused
from clave.lib.request_context import SYSTEM
from clave.sso import claims, client_rules, clients
from clave.sso.models import Client, ClientKind, Dialect, SubjectType

_LISTS = {
    "redirect_uris": "--redirect-uri",
    "post_logout_redirect_uris": "--post-logout-redirect-uri",
    "scopes": "--scope",
    "profiles": "--profile",
}
_CHOICES = {"scopes": list(claims.ALL), "profiles": list(Profile.values)}
_TEXTS = ("name", "contact", "home_url", "backchannel_logout_uri", "frontchannel_logout_uri", "sector")
_YES_OR_NO = ("requires_pkce", "requires_pushed_requests", "requires_dpop", "is_resource_server")


class Command(BaseCommand):
    help = "Register and manage relying applications. A secret is shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        create = commands.add_parser("create", help="register an application")
        found = commands.add_parser("list", help="list the applications")
        found.add_argument("search", nargs="?", default="", help="part of the name, the contact or the site")
        update = commands.add_parser("update", help="change the settings that are named")
        for each in (create, update):
            _add_settings(each)
        show = commands.add_parser("show", help="show an application's settings")
        suspend = commands.add_parser("suspend", help="suspend an application: its tokens end at once")
        resume = commands.add_parser("resume", help="end a suspension")
        rotate = commands.add_parser("rotate-secret", help="give an application a new secret")
        end = commands.add_parser("end-former-secret", help="end a rotation before its seven days are over")
        for each in (update, show, suspend, resume, rotate, end):
            each.add_argument("client_id")
        rotate.add_argument("--at-once", action="store_true", help="the old secret became known: it ends now")
        for each in (create, found, update, show, suspend, resume, rotate, end):
            each.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: object, action: str, as_json: bool, **options: object) -> None:
        try:
            shown = self.done(action, options)
        except Refused as refused:
            raise CommandError(refused.message) from None
        rows = shown if isinstance(shown, list) else [shown]
        written = ["\n".join(f"{name}: {value}" for name, value in row.items()) for row in rows]
        self.stdout.write(json.dumps(shown, ensure_ascii=False) if as_json else "\n\n".join(written))

    def done(self, action: str, options: dict[str, object]) -> dict[str, object] | list[dict[str, object]]:
        """Do what was asked; return what to show. Raises `CommandError`, and `Refused` with what is wrong."""
        settings = {name: options[name] for name in client_rules.SETTINGS if options.get(name) is not None}
        if action == "list":
            found = clients.search(str(options["search"]))
            return [{"client_id": each.client_id, "name": each.name, "active": each.active} for each in found]
        if action == "create":
            client = Client(**{"scopes": list(claims.ALL), **settings})
            secret = clients.create(client, SYSTEM)
            return {"client_id": client.client_id, "client_secret": secret}
        client = _named(str(options["client_id"]))
        if action == "rotate-secret":
            secret = clients.rotate_secret(client, SYSTEM, at_once=bool(options["at_once"]))
            return {"client_id": client.client_id, "client_secret": secret}
        if action == "end-former-secret":
            return {"client_id": client.client_id, "ended": clients.end_former_secret(client, SYSTEM)}
        if action == "update":
            client = clients.update(client, settings, SYSTEM)
        elif action in ("suspend", "resume"):
            client = clients.set_active(client, action == "resume", SYSTEM)
        return {"client_id": client.client_id, "active": client.active, **client_rules.settings_of(client)}


def _add_settings(parser: CommandParser) -> None:
    """Add an option for each setting. What is not named stays as it is, or is usual in a new application."""
    new = parser.prog.endswith("create")
    for name in _TEXTS:
        parser.add_argument(f"--{name.replace('_', '-')}", required=new and name == "name", default=None)
    for name, option in _LISTS.items():
        required = new and name == "redirect_uris"
        parser.add_argument(option, action="append", dest=name, required=required, choices=_CHOICES.get(name))
    parser.add_argument("--kind", choices=ClientKind.values)
    parser.add_argument("--dialect", choices=Dialect.values)
    parser.add_argument("--subject-type", choices=SubjectType.values)
    parser.add_argument("--id-token-alg", choices=["ES256", "RS256"], dest="id_token_algorithm")
    parser.add_argument("--userinfo-alg", choices=["", "ES256", "RS256"], dest="userinfo_algorithm")
    parser.add_argument("--jwks", type=json.loads, help="the public keys, as JSON (RFC 7517)")
    for name in _YES_OR_NO:
        words = name.removeprefix("requires_").removeprefix("is_").replace("_", "-")
        parser.add_argument(f"--{words}", action="store_true", dest=name, default=None)
        parser.add_argument(f"--no-{words}", action="store_false", dest=name, default=None)


def _named(client_id: str) -> Client:
    client = clients.find(client_id)
    if client is None:
        raise CommandError(f"no such application: {client_id}")
    return client
