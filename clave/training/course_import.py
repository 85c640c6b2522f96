"""Validation and loading of a training body's import: one row per participant, with the action they are enrolled in.

An action's data may appear only in its first row, or not at all if the action already exists.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from django.db import transaction
from django.utils.translation import gettext as _

from clave.lib.outcome import Refused
from clave.lib.rut import InvalidRut, Rut
from clave.lib.text import folded
from clave.training import spreadsheets
from clave.training.models import Action, Enrolment, ImportJob, Line, Modality, Otec, Stage

COLUMNS = ["CodigoCurso", "CodSence", "Linea", "Nombre", "Modalidad", "Horas", "Inicio", "Termino", "RUN"]
EXAMPLE = [
    "6700001",
    "1238000001",
    "3",
    "Excel intermedio",
    "e-learning",
    "40",
    "01-12-2026",
    "31-01-2027",
    "12345678-5",
]
CHUNK, MAX_CODE = 2000, 50
# No action predates its programme; deadlines are counted from its end, which must stay within the range of dates.
PLAUSIBLE_YEARS = range(1990, 2100)
MAX_PROBLEMS, PREVIEW_ROWS = 200, 10
_ACTION_COLUMNS = ("CodSence", "Linea", "Nombre", "Modalidad", "Horas", "Inicio", "Termino")
_TEN_DIGITS = re.compile(r"[0-9]{10}")
_MODALITIES = {"e-learning": Modality.ELEARNING, "elearning": Modality.ELEARNING, "presencial": Modality.CLASSROOM}

Problem = dict[str, object]


@dataclass
class Row:
    """One validated row: the action's code, its data if the row has any, and the RUN, if any."""

    line: int
    code: str
    action: dict[str, object] = field(default_factory=dict)
    run: str = ""
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, column: str, remedy: str) -> None:
        self.problems.append({"line": self.line, "column": column, "remedy": remedy})


class Checker:
    """Validates rows in order and keeps track of the actions they have described."""

    def __init__(self, otec: Otec) -> None:
        self.otec = otec
        # Action code to OTEC, for existing actions named by the rows so far.
        self.known: dict[str, int] = {}
        self.described: dict[str, dict[str, object]] = {}

    def check_all(self, rows: list[tuple[int, dict[str, str]]]) -> list[Row]:
        """Validate rows, each a line number and its cells, with one query for all of them."""
        codes = {code for _line, cells in rows if _is_code(code := cells.get("codigocurso", ""))}
        existing = Action.objects.filter(code__in=codes - self.known.keys())
        self.known.update(existing.values_list("code", "otec_id"))
        return [self._check(line, cells) for line, cells in rows]

    def _check(self, line: int, cells: dict[str, str]) -> Row:
        """Validate one row; its problems name the column and the remedy."""
        row = Row(line, cells.get("codigocurso", ""))
        if not _is_code(row.code):
            row.wrong("CodigoCurso", _("Escriba el código de la acción (hasta 50 caracteres)."))
        elif self.known.get(row.code, self.otec.pk) != self.otec.pk:
            row.wrong("CodigoCurso", _("Esta acción es de otro organismo: revise el código."))
        values = {name: cells.get(folded(name), "") for name in _ACTION_COLUMNS}
        if any(values.values()):
            row.action = self._action(row, values)
        elif row.code not in self.known and row.code not in self.described:
            row.wrong("Nombre", _("La acción es nueva: complete sus datos en esta fila."))
        self._run(row, cells.get("run", ""))
        if row.action and not row.problems:
            self.described[row.code] = row.action
        return row

    def _run(self, row: Row, text: str) -> None:
        if not text and row.action:
            return
        try:
            row.run = str(Rut.parse(text))
        except InvalidRut:
            row.wrong("RUN", _("Revise el RUN y su dígito verificador. Ejemplo: 12345678-5"))

    def _action(self, row: Row, values: dict[str, str]) -> dict[str, object]:
        line, hours = _number(values["Linea"]), _number(values["Horas"])
        starts, ends = _date(values["Inicio"]), _date(values["Termino"])
        modality, cod_sence = _MODALITIES.get(values["Modalidad"].lower()), values["CodSence"]
        is_social = line == Line.SOCIAL
        data = {"cod_sence": cod_sence, "line": line, "name": values["Nombre"], "modality": modality}
        data |= {"hours": hours, "starts": starts, "ends": ends}
        date_remedy = _("Escriba la fecha como día-mes-año, por ejemplo 01-12-2026.")
        year_remedy = _("Revise el año: debe estar entre 1990 y 2099.")
        for column, is_valid, remedy in (
            ("Linea", line in Line.values, _("Escriba 1, 3 o 6.")),
            ("CodSence", not (is_social and cod_sence), _("En la línea 1 déjelo vacío.")),
            ("CodSence", is_social or _TEN_DIGITS.fullmatch(cod_sence), _("Escriba los 10 dígitos del código SENCE.")),
            ("CodigoCurso", line == Line.FPT or len(row.code) >= 7, _("Debe tener al menos 7 caracteres.")),
            (
                "Nombre",
                1 <= len(values["Nombre"]) <= 160 and values["Nombre"].isprintable(),
                _("Escriba el nombre del curso (hasta 160 caracteres)."),
            ),
            ("Modalidad", modality, _("Escriba e-learning o presencial.")),
            ("Horas", 1 <= hours <= 5000, _("Escriba un número de horas entre 1 y 5000.")),
            ("Inicio", starts, date_remedy),
            ("Inicio", starts is None or starts.year in PLAUSIBLE_YEARS, year_remedy),
            ("Termino", ends, date_remedy),
            ("Termino", ends is None or ends.year in PLAUSIBLE_YEARS, year_remedy),
            ("Termino", not (starts and ends and ends < starts), _("El término no puede ser anterior al inicio.")),
            (
                "CodigoCurso",
                self.described.get(row.code, data) == data,
                _("Esta acción tiene otros datos en una fila anterior: déjelos iguales."),
            ),
        ):
            if not is_valid:
                row.wrong(column, remedy)
        return data


def _is_code(text: str) -> bool:
    return 1 <= len(text) <= MAX_CODE and text.isprintable()


def _printable(text: str) -> str:
    """Return a cell's text, which may contain anything, in displayable form; databases reject NUL."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:160])


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _date(text: str) -> date | None:
    for pattern in ("%d-%m-%Y", "%d/%m/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    return None


def checked(job: ImportJob) -> Iterator[Row]:
    """Yield every row of an import, validated. Raises `Unreadable`."""
    checker, rows = Checker(job.otec), spreadsheets.rows(bytes(job.content))
    while chunk := list(islice(rows, CHUNK)):
        yield from checker.check_all(chunk)


def check(job: ImportJob) -> None:
    """Validate a whole import and store what its page shows."""
    total = bad = 0
    problems: list[Problem] = []
    preview: list[list[str]] = []
    try:
        job.content = spreadsheets.plain(bytes(job.content))
        for row in checked(job):
            total += 1
            bad += bool(row.problems)
            problems += row.problems[: MAX_PROBLEMS - len(problems)]
            if len(preview) < PREVIEW_ROWS:
                name = _printable(str(row.action.get("name") or ""))
                preview.append([str(row.line), _printable(row.code), name, row.run, "" if row.problems else "ok"])
        job.stage = Stage.CHECKED if total else Stage.UNREADABLE
        job.reason = "" if total else "empty"
    except spreadsheets.Unreadable as error:
        job.stage, job.reason = Stage.UNREADABLE, error.code
    job.total, job.bad, job.problems, job.preview = total, bad, problems, preview
    job.save(update_fields=["content", "stage", "reason", "total", "bad", "problems", "preview"])


def load(job: ImportJob) -> None:
    """Load the valid rows of a validated import, resuming where an earlier worker stopped."""
    valid_rows = islice((row for row in checked(job) if not row.problems), job.done, None)
    while rows := list(islice(valid_rows, CHUNK)):
        with transaction.atomic():
            _store(job.otec, rows)
            job.done += len(rows)
            ImportJob.objects.filter(pk=job.pk).update(done=job.done)
    ImportJob.objects.filter(pk=job.pk).update(stage=Stage.LOADED, content=b"")


def _store(otec: Otec, rows: list[Row]) -> None:
    described = {row.code: row.action for row in rows if row.action}
    save_actions(otec, described)
    actions = dict(Action.objects.filter(code__in={row.code for row in rows}).values_list("code", "pk"))
    enrol([(actions[row.code], row.run) for row in rows if row.run])


class TakenCode(Refused):
    """Another OTEC has created an action with this code in the meantime."""

    status = 409

    def __init__(self) -> None:
        super().__init__("taken_code", _("Esta acción es de otro organismo: revise el código."))


@transaction.atomic
def save_actions(otec: Otec, described: dict[str, dict[str, object]]) -> None:
    """Create or update an OTEC's actions; `described` maps codes to fields. Raises `TakenCode`, changing nothing."""
    rows = [Action(otec=otec, code=code, **fields) for code, fields in described.items()]
    # A later end date may make an action due for retention again.
    updated_fields = ["cod_sence", "line", "name", "modality", "hours", "starts", "ends", "anonymised_at"]
    Action.objects.bulk_create(rows, update_conflicts=True, unique_fields=["code"], update_fields=updated_fields)
    if Action.objects.filter(code__in=described).exclude(otec=otec).exists():
        raise TakenCode


def enrol(pairs: list[tuple[int, str]]) -> None:
    """Enrol people, given as (action's primary key, RUN), including those who had been removed."""
    rows = [Enrolment(action_id=action, run=run) for action, run in dict.fromkeys(pairs)]
    changed = {action for action, _run in pairs}
    Action.objects.filter(pk__in=changed, anonymised_at__isnull=False).update(anonymised_at=None)
    Enrolment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["action", "run"], update_fields=["removed_at"]
    )
