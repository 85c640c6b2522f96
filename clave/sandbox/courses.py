"""The demo's training bodies, actions and enrolments, exactly as the contract lists them; dates relative to today."""

from datetime import timedelta
from typing import Any

from clave.lib import clock
from clave.training import tokens
from clave.training.models import Action, Body, Enrolment, Line, Modality, State

CAMILA, DIEGO = "11111111-1", "22222222-2"
BODY, OTHER_BODY = "76543210-3", "76111222-8"
TOKEN, REVOKED_TOKEN = "C1A7E000-0000-4000-8000-000000000001", "C1A7E000-0000-4000-8000-000000000002"
BODIES = {BODY: "Capacita Austral SpA", OTHER_BODY: "Segunda Capacitadora Ltda."}
# (body, code, CodSence, line, name, hours, first day, last day, enrolled, what differs from running e-learning)
ACTIONS: list[tuple[str, str, str, int, str, int, int, int, list[str], dict[str, Any]]] = [
    (BODY, "6700001", "1238000001", 3, "Excel intermedio", 40, -10, 50, [CAMILA, DIEGO], {}),
    (BODY, "6700002", "1238000001", 3, "Excel intermedio", 40, -90, -30, [CAMILA], {"state": State.FINISHED}),
    (BODY, "6700003", "1238000001", 3, "Excel intermedio", 40, 30, 90, [CAMILA], {}),
    (BODY, "6700004", "1238000002", 3, "Soldadura", 60, -10, 50, [CAMILA], {"modality": Modality.CLASSROOM}),
    (BODY, "6700005", "1238000001", 3, "Excel intermedio", 40, -10, 50, [CAMILA], {"state": State.ANNULLED}),
    (BODY, "RLAB-26-02-08-0071-1", "", 1, "Atención de público", 20, -10, 50, [CAMILA, DIEGO], {}),
    (BODY, "F1234", "1238000003", 6, "Alfabetización digital", 10, -10, 50, [CAMILA], {}),
    (OTHER_BODY, "6800001", "1238000009", 3, "Prevención de riesgos", 16, -10, 50, [CAMILA], {}),
]


def load() -> None:
    """Load bodies, tokens, actions and enrolments."""
    now, today = clock.now(), clock.today()
    bodies = {rut: Body.objects.create(rut=rut, name=name, created_at=now) for rut, name in BODIES.items()}
    tokens.issue(bodies[BODY], "Aula virtual", TOKEN)
    revoked, _text = tokens.issue(bodies[OTHER_BODY], "Aula antigua", REVOKED_TOKEN)
    tokens.revoke(revoked)
    for body, code, cod_sence, line, name, hours, first, last, people, differs in ACTIONS:
        fields = {"modality": Modality.ELEARNING, "state": State.ACTIVE, **differs}
        action = Action.objects.create(
            body=bodies[body],
            code=code,
            cod_sence=cod_sence,
            line=Line(line),
            name=name,
            hours=hours,
            starts=today + timedelta(days=first),
            ends=today + timedelta(days=last),
            **fields,
        )
        Enrolment.objects.bulk_create([Enrolment(action=action, run=run) for run in people])
