"""Input and output schemas of the API. Input outside the described bounds is answered with 422."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema

from clave.rce.preflight import MOST
from clave.training.models import Action

# No control characters: PostgreSQL cannot store NUL. Lone surrogates are not valid text and are refused in any case.
_NO_CONTROLS = r"^[^\u0000-\u001f\u007f]*$"
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _integer(value: object) -> int:
    """Accept 3 and 3.0, the same number in JSON; refuse text, and true and false, which are integers in Python."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if type(value) is not int:
        raise ValueError("a whole number is needed")
    return value


def _iso_date(value: object) -> date:
    """Parse a date as `YYYY-MM-DD`; no other format is accepted. Source: RFC 3339, section 5.6."""
    if not isinstance(value, str) or not _ISO_DATE.fullmatch(value):
        raise ValueError("a date is written YYYY-MM-DD")
    return date.fromisoformat(value)


def _text(most: int, least: int = 0) -> StringConstraints:
    return StringConstraints(min_length=least, max_length=most, pattern=_NO_CONTROLS)


Day = Annotated[date, BeforeValidator(_iso_date), WithJsonSchema({"type": "string", "format": "date"})]
Code = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=r"^[^\u0000-\u001f\u007f/]+$")]
SessionId = Annotated[str, StringConstraints(min_length=1, max_length=149, pattern=r"^[^\u0000-\u001f\u007f/]+$")]
LineNumber = Annotated[Literal[1, 3, 6], BeforeValidator(_integer)]
Run = Annotated[str, _text(12), Field(examples=["12345678-5"])]


class Input(Schema):
    """Base of input schemas: values must have the described type and are not converted."""

    model_config = ConfigDict(strict=True)


class ActionIn(Input):
    """The data of an action, under the same rules as an imported table. Years from 1990 to 2099."""

    CodSence: Annotated[str, StringConstraints(pattern=r"^([0-9]{10})?$")] = ""
    Linea: LineNumber
    Nombre: Annotated[str, _text(160, least=1)]
    Modalidad: Literal["e-learning", "elearning", "presencial"] = "e-learning"
    Horas: Annotated[int, Field(ge=1, le=5000), BeforeValidator(_integer)]
    Inicio: Day
    Termino: Day


class ActionOut(Schema):
    CodigoCurso: str
    CodSence: str
    Linea: int
    Nombre: str
    Modalidad: str
    Horas: int
    Inicio: date
    Termino: date
    Estado: str

    @classmethod
    def of(cls, action: Action) -> "ActionOut":
        return cls(
            CodigoCurso=action.code,
            CodSence=action.cod_sence,
            Linea=action.line,
            Nombre=action.name,
            Modalidad=action.modality,
            Horas=action.hours,
            Inicio=action.starts,
            Termino=action.ends,
            Estado=action.state,
        )


class RunsIn(Input):
    runs: list[Run] = Field(max_length=MOST)


class Changed(Schema):
    changed: int


class SessionOut(Schema):
    """A session by its IdSesionSence. `state` is open, closed, lost or abandoned; `seconds` are the credited ones."""

    session: str
    run: str
    action: str
    state: str
    opened_at: datetime
    limit_at: datetime
    ended_at: datetime | None
    seconds: int


class AttendanceOut(Schema):
    run: str
    seconds: int
    percent: int
    sessions: int


class ReviewIn(RunsIn):
    CodigoCurso: Annotated[str, _text(60)]
    CodSence: Annotated[str, _text(20)] = ""
    LineaCapacitacion: Annotated[str, _text(2)]
    UrlRetoma: Annotated[str, _text(250)]
    UrlError: Annotated[str, _text(250)]
    Token: Annotated[str, _text(40)] = ""


class BlockIn(Input):
    CodigoCurso: Annotated[str, _text(50)]
    CodSence: Annotated[str, _text(10)] = ""
    LineaCapacitacion: Annotated[str, _text(2)]
    RunAlumno: Run
    IdSesionAlumno: Annotated[str, _text(149)]
    UrlRetoma: Annotated[str, _text(200)]
    UrlError: Annotated[str, _text(200)]


class BlockOut(Schema):
    url: str


class FindingOut(Schema):
    """The result for one RUN. `has_key` is null for a person not enrolled with the OTEC: nothing is disclosed."""

    run: str
    codes: list[int]
    has_key: bool | None
    ready: bool


class KeySet(Schema):
    """A JWK set. Source: RFC 7517, section 5."""

    keys: list[dict[str, object]]


class Problem(Schema):
    """A description of the problem in one sentence."""

    detail: str


class Fault(Schema):
    type: str
    loc: list[str | int]
    msg: str


class Invalid(Schema):
    """The values that do not match the description: where (`loc`) and why (`msg`)."""

    detail: list[Fault]
