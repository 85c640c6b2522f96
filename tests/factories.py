"""Data for tests, one call each: what a test does not speak of is filled in, what it names wins.

The demo is in the store of every test already (`tests/conftest.py`); this is for whom the demo does not have.
"""

from datetime import timedelta
from typing import Any

from clave.attendance.models import SessionStart
from clave.backoffice.models import Operator
from clave.credentials import hashing
from clave.credentials import service as credentials
from clave.holders.models import Holder
from clave.lib import clock
from clave.sandbox.people import OPERATOR_PASSWORD, TOTP_SECRET
from clave.training import models as training

COURSE = "6700001"  # the demo's running course, in which Camila and Diego are enrolled


def holder(
    identifier: str, profile: str = "PN", key: str = "", answer: tuple[str, str] | None = None, **more: Any
) -> Holder:
    """Somebody with an account; with `key` they can sign in, with `answer` (question, answer) they can recover."""
    made = Holder.objects.create(**_account(identifier, profile, more))
    if key:
        credentials.import_key(made, key)
    if answer:
        credentials.set_answer(made, *answer)
    return made


def holders(identifiers: list[str], profile: str = "PN", **more: Any) -> list[Holder]:
    """Many accounts in one statement, without keys."""
    return Holder.objects.bulk_create([Holder(**_account(each, profile, more)) for each in identifiers])


def _account(identifier: str, profile: str, more: dict[str, Any]) -> dict[str, Any]:
    now = clock.now()
    return {"profile": profile, "identifier": identifier, "created_at": now, "updated_at": now, **more}


def otec(rut: str = "78000111-9", **more: Any) -> training.Otec:
    """A training body, without a token (`clave.training.tokens.issue` gives it one)."""
    return training.Otec.objects.create(**{"rut": rut, "name": "Capacitadora", "created_at": clock.now(), **more})


def action(body: training.Otec, code: str = "7100001", **more: Any) -> training.Action:
    """A course of this body: e-learning, franquicia tributaria, under way today and for no other day."""
    usual = {
        "cod_sence": "1238000001",
        "name": "Curso",
        "line": training.Line.FRANQUICIA,
        "modality": training.Modality.ELEARNING,
        "hours": 40,
        "starts": clock.today(),
        "ends": clock.today(),
    }
    return training.Action.objects.create(otec=body, code=code, **{**usual, **more})


def enrolment(run: str, course: training.Action | str = COURSE) -> training.Enrolment:
    """This RUN in a course, given itself or by its code; who is in it already stays in it."""
    if isinstance(course, str):
        course = training.Action.objects.get(code=course)
    return training.Enrolment.objects.get_or_create(action=course, run=run)[0]


def opening(enrolled: training.Enrolment, **more: Any) -> SessionStart:
    """The beginning of a session of two hours: the fact alone. Through the front door: `sessions.open_session`."""
    now = clock.now()
    usual = {
        "token": training.Token.objects.filter(otec=enrolled.action.otec).first(),
        "client_session": "s",
        "opened_at": now,
        "limit_at": now + timedelta(hours=2),
        "address": "x",
    }
    return SessionStart.objects.create(enrolment=enrolled, **{**usual, **more})


def operator(name: str, role: str = "agente", **more: Any) -> Operator:
    """An operator of the back office with the demo's password and authenticator. `tests.desk.colleague` signs in."""
    usual = {
        "email": f"{name}@mesa.example.cl",
        "name": name.capitalize(),
        "hash": hashing.hash_secret(OPERATOR_PASSWORD),
        "totp_secret": TOTP_SECRET,
        "created_at": clock.now(),
    }
    return Operator.objects.create(role=role, **{**usual, **more})


def token_of(enrolment: training.Enrolment) -> training.Token:
    """A token of the training body whose course this is."""
    token = enrolment.action.otec.tokens.first()
    assert token
    return token
