"""A learning platform as tests tell it: it posts forms through a participant's browser and reads what comes back."""

from html.parser import HTMLParser
from typing import Any

from clave.sandbox.courses import CAMILA, OTEC, TOKEN
from tests.story import Page, Visitor

BACK, FAIL = "https://aula.example.cl/volver?id=7&sec=2", "https://aula.example.cl/error"
OPENED = [
    "CodSence",
    "CodigoCurso",
    "IdSesionAlumno",
    "IdSesionSence",
    "RunAlumno",
    "FechaHora",
    "ZonaHoraria",
    "LineaCapacitacion",
]
CLOSED = [name for name in OPENED if name != "IdSesionSence"]
GOOD = {
    "RutOtec": OTEC,
    "Token": TOKEN,
    "CodSence": "1238000001",
    "CodigoCurso": "6700001",
    "LineaCapacitacion": "3",
    "RunAlumno": CAMILA,
    "IdSesionAlumno": "moodle-42",
    "UrlRetoma": BACK,
    "UrlError": FAIL,
}
LINE_1 = {"CodSence": "", "CodigoCurso": "RLAB-26-02-08-0071-1", "LineaCapacitacion": "1"}
LINE_6 = {"CodSence": "1238000003", "CodigoCurso": "F1234", "LineaCapacitacion": "6"}
KEYS = {CAMILA: "KM482915", "22222222-2": "TR618204"}


class AnswerForm(HTMLParser):
    """The form that carries an answer back: where it goes and its fields in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action, self.at_once = "", False
        self.fields: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = dict(attrs)
        if tag == "form" and (a.get("action") or "").lower().startswith("http"):
            self.action, self.at_once = a["action"] or "", "data-enviar" in a
        elif tag == "input" and self.action and (name := a.get("name")):
            self.fields.append((name, a.get("value") or ""))


class Answer:
    """What the platform gets, read as plugins do: by the presence of fields alone."""

    def __init__(self, page: Page) -> None:
        form = AnswerForm(page.html)
        assert form.action, f"no answer: {page.text[:800]}"
        self.page, self.url, self.names, self.fields = (
            page,
            form.action,
            [name for name, _ in form.fields],
            dict(form.fields),
        )
        self.at_once = form.at_once

    @property
    def verdict(self) -> str:
        if "GlosaError" in self.fields:
            return f"error {self.fields['GlosaError']}"
        return "opened" if "IdSesionSence" in self.fields else "closed"


class Platform:
    """A platform's page in a participant's browser."""

    def __init__(self, visitor: Visitor | None = None, environment: str = "rce") -> None:
        self.visitor = visitor or Visitor()
        self.environment = environment

    def post(self, endpoint: str, **changes: Any) -> Page:
        """Send the form; a parameter set to None is left out."""
        sent = {name: text for name, text in {**GOOD, **changes}.items() if text is not None}
        return self.visitor.post(f"/{self.environment}/Registro/{endpoint}", sent)

    def ask(self, endpoint: str, **changes: Any) -> Answer:
        """Send the form; expect an answer at once."""
        return Answer(self.post(endpoint, **changes))

    def sign(self, key: str = "", **typed: str) -> Page:
        rut = self.visitor.page.fields["rut"].replace(".", "")
        return self.visitor.send(key=key or KEYS[rut], **typed)

    def open(self, **changes: Any) -> Answer:
        self.post("IniciarSesion", **changes)
        return Answer(self.sign())

    def close(self, session: str, **changes: Any) -> Answer:
        self.post("CerrarSesion", IdSesionSence=session, **changes)
        return Answer(self.sign())
