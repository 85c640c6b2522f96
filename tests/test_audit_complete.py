"""Everything that changes or reveals something leaves its entry: each action in the source is seen to be recorded."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from clave.audit.labels import ACTIONS
from clave.audit.models import Entry
from clave.backoffice import models as desk_models
from tests import audit_stories

Story = Callable[[], None]


# Proved in a browser with an authenticator, tests/browser/test_backoffice.py.
WITH_AUTHENTICATOR = {"operator.passkey_added", "operator.passkey_removed"}
STORIES: dict[Story, set[str]] = {
    audit_stories.registering: {"holder.registered", "holder.verified", "registry.called"},
    audit_stories.recovering_and_changing: {
        "key.checked",
        "key.changed",
        "key.recovery",
        "holder.email_changed",
        "registry.awaited",
    },
    audit_stories.updating: {"data.proof", "data.updated"},
    audit_stories.signing_in_and_out: {"signin", "sessions.closed", "signout"},
    audit_stories.entering_by_a_door: {"door.linked", "door.unlinked"},
    audit_stories.representing: {"representative.added", "representative.removed"},
    audit_stories.asking_for_facilitators: {"facilitator.asked", "facilitator.approved", "facilitator.rejected"},
    audit_stories.marking: {"attendance.opened", "attendance.closed", "attendance.corrected"},
    audit_stories.training: {
        "token.made",
        "token.revoked",
        "body.hosts",
        "body.receipts",
        "training.export",
        "training.import",
        "api.action",
        "api.enrolled",
        "api.taken_out",
        "roster.reviewed",
    },
    audit_stories.stating: {"statement.issued", "statement.annulment", "statement.decided"},
    audit_stories.helping: {
        *(f"backoffice.{kind.value}" for kind in desk_models.Kind),
        "backoffice.searched",
        "backoffice.refused",
        "operator.signin",
    },
    audit_stories.confirming: {"contact.confirmed", "contact.refused", "question.renewed"},
    audit_stories.watching: {
        "operator.proposed",
        "operator.confirmed",
        "operator.declined",
        "operator.code",
        "audit.read",
        "audit.exported",
        "audit.verified",
        "operator.invited",
        "operator.role",
        "operator.active",
        "operator.signout",
        "operator.activated",
    },
    audit_stories.signing_on_elsewhere: {
        "sso.authorized",
        "sso.client_created",
        "sso.consent_refused",
        "sso.consent_withdrawn",
        "sso.consented",
        "sso.keys_rotated",
        "sso.reused",
        "sso.revoked",
        "sso.secret_rotated",
    },
    audit_stories.caring_for_clients: {
        "sso.client_created",
        "sso.client_changed",
        "sso.client_active",
        "sso.client_checked",
        "sso.client_logo",
        "sso.secret_rotated",
        "sso.secret_ended",
        "operator.api_token",
        "operator.api_token_revoked",
    },
    audit_stories.keeping_the_machine: {"secret.rekeyed", "audit.key_lost", "audit.restored"},
    audit_stories.caring: {
        "privacy.downloaded",
        "privacy.asked",
        "privacy.answered",
        "privacy.erased",
        "privacy.retention",
    },
}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.slow
def test_what_happens_is_recorded(demo: None, story: Story) -> None:
    story()
    assert STORIES[story] - set(Entry.objects.values_list("action", flat=True)) == set()


def in_the_source() -> set[str]:
    """Return the first argument of every call that records, as far as it is written out."""
    found: set[str] = set()
    for file in (Path(__file__).parents[1] / "clave").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            of = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else ""
            is_audit = name == "_recorded" or (name == "record" and of == "audit")
            if is_audit and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                found.add(node.args[0].value)
    return found


def test_no_action_is_recorded_that_no_story_tells_or_that_has_no_name() -> None:
    told = set().union(*STORIES.values()) | WITH_AUTHENTICATOR
    assert in_the_source() - told == set()
    assert told - set(ACTIONS) == set()
