"""The demo's training bodies, actions and enrolments, exactly as the contract lists them; dates relative to today."""

from datetime import timedelta

from clave.lib import clock
from clave.training import tokens
from clave.training.models import Action, Enrolment, Line, Modality, Otec, State

CAMILA, DIEGO = "11111111-1", "22222222-2"
OTEC, OTHER_OTEC = "76543210-3", "76111222-8"
TOKEN, REVOKED_TOKEN = "C1A7E000-0000-4000-8000-000000000001", "C1A7E000-0000-4000-8000-000000000002"
OTECS = {OTEC: "Capacita Austral SpA", OTHER_OTEC: "Segunda Capacitadora Ltda."}
# (OTEC, code, CodSence, line, name, hours, first day, last day, enrolled, deviations from an active e-learning action)
ACTIONS: list[tuple[str, str, str, int, str, int, int, int, list[str], dict[str, State | Modality]]] = [
    (OTEC, "6700001", "1238000001", 3, "Excel intermedio", 40, -10, 50, [CAMILA, DIEGO], {}),
    (OTEC, "6700002", "1238000001", 3, "Excel intermedio", 40, -90, -30, [CAMILA], {"state": State.FINISHED}),
    (OTEC, "6700003", "1238000001", 3, "Excel intermedio", 40, 30, 90, [CAMILA], {}),
    (OTEC, "6700004", "1238000002", 3, "Soldadura", 60, -10, 50, [CAMILA], {"modality": Modality.CLASSROOM}),
    (OTEC, "6700005", "1238000001", 3, "Excel intermedio", 40, -10, 50, [CAMILA], {"state": State.ANNULLED}),
    (OTEC, "RLAB-26-02-08-0071-1", "", 1, "Atención de público", 20, -10, 50, [CAMILA, DIEGO], {}),
    (OTEC, "F1234", "1238000003", 6, "Alfabetización digital", 10, -10, 50, [CAMILA], {}),
    (OTHER_OTEC, "6800001", "1238000009", 3, "Prevención de riesgos", 16, -10, 50, [CAMILA], {}),
]


def load() -> None:
    """Load OTECs, tokens, actions and enrolments."""
    now, today = clock.now(), clock.today()
    otecs = {rut: Otec.objects.create(rut=rut, name=name, created_at=now) for rut, name in OTECS.items()}
    tokens.issue(otecs[OTEC], "Aula virtual", TOKEN)
    revoked, _text = tokens.issue(otecs[OTHER_OTEC], "Aula antigua", REVOKED_TOKEN)
    tokens.revoke(revoked)
    for otec, code, cod_sence, line, name, hours, first, last, people, overrides in ACTIONS:
        fields = {"modality": Modality.ELEARNING, "state": State.ACTIVE, **overrides}
        action = Action.objects.create(
            otec=otecs[otec],
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
