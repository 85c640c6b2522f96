"""Everything between installing and serving, in a single process so that restarts are quick."""

import structlog
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from clave.config.settings import guard, profile
from clave.sso import signing_keys

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Migrate, collect static files, load the demo into an empty store, log the settings in force."

    def handle(self, *args: object, **options: object) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
        signing_keys.published()  # makes the first ones, so that no visitor waits for it
        call_command("collectstatic", verbosity=0, interactive=False)
        if apps.is_installed("clave.sandbox"):
            call_command("load_demo", stdout=self.stdout, verbosity=options["verbosity"])
        for line in profile.deviations(settings.ANSWERS):
            log.info("settings.departs", setting=line)
        for line in guard.warnings():
            log.warning("settings.unwise", setting=line)
