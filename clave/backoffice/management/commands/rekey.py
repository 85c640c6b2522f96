from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clave.audit import seals
from clave.audit import service as audit
from clave.audit.models import Seal, SealKind
from clave.backoffice.operator_accounts import INVITATION
from clave.db.rekeying import encrypted_fields, rekey_column
from clave.documents import rekeying as document_rekeying
from clave.lib.request_context import SYSTEM
from clave.statements import paper
from clave.training import tokens


class Command(BaseCommand):
    help = "Finish a change of CLAVE_SECRET_KEY: move all that is stored under a former key to the present one."

    def handle(self, *args: object, **options: object) -> None:
        moved, unreadable = self._move_texts()
        documents, failed = document_rekeying.rekey()
        unreadable += failed
        try:
            moved_tokens, waiting = tokens.rekey()
            paper.rekey()
        except InvalidTag:
            raise CommandError("a token was stored under a secret key that is not at hand") from None
        except RuntimeError as error:
            raise CommandError(str(error)) from None
        audit.record("secret.rekeyed", SYSTEM, texts=moved, documents=documents, tokens=moved_tokens)
        try:
            seals.seal_new()
        except seals.UnknownKey as unknown:
            raise CommandError(f"the newest seal's key ({unknown}) is not at hand: see declare_lost_key") from None
        self.stdout.write(f"moved: {moved} texts, {documents} documents, {moved_tokens} tokens")
        for line in unreadable:
            self.stderr.write(f"no secret key at hand opens {line}")
        if unreadable:
            raise CommandError(f"{len(unreadable)} could not be opened: the key they were stored under is missing")
        self._conclude(waiting)

    def _move_texts(self) -> tuple[int, list[str]]:
        moved, unreadable = 0, list[str]()
        for model, field in encrypted_fields():
            count, failed = rekey_column(model, field)
            moved, unreadable = moved + count, unreadable + failed
        return moved, unreadable

    def _conclude(self, waiting: int) -> None:
        if waiting:
            self.stdout.write(
                f"{waiting} tokens were made by an older Clave and move when they are next used; "
                "without the fallback those not used until then stop working"
            )
        changed = Seal.objects.filter(kind=SealKind.KEY_CHANGED, key=seals.present_key()).order_by("-pk").first()
        if not settings.SECRET_KEY_FALLBACKS:
            self.stdout.write("there is no fallback: nothing more to do")
        elif changed is None:
            self.stdout.write("all that is stored is under the present key: CLAVE_SECRET_KEY_FALLBACKS may go")
        else:
            until = (changed.at + INVITATION).isoformat(timespec="minutes")
            self.stdout.write(
                f"all that is stored is under the present key: CLAVE_SECRET_KEY_FALLBACKS may go after {until}, "
                "when the last invitation, session and attendance block given out under the former key has run out"
            )
