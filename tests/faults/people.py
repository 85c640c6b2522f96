"""People who use the site while it is being broken, and write down what they were told."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from threading import Event, Lock

import httpx

from clave.lib.rut import check_digit
from tests.scale.attendance import GOOD

FIRST_NUMBER = 15_000_000
KEYS = ("QZ571938", "NW604827")
REGISTRATION = {
    "question": "mascota",
    "answer": "Pelusa",
    "street": "Pasaje Los Aromos",
    "street_number": "45",
    "region": "13",
    "comuna": "13101",
}


class Form(HTMLParser):
    """The page's form as it stands: its address and its hidden fields. (The application is not set up here.)"""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action, self._inside = "", False
        self.values: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = "data-formulario" in given
            self.action = given.get("action") or self.action if self._inside else self.action
        elif tag == "input" and self._inside and given.get("type") == "hidden" and (name := given.get("name")):
            self.values[name] = given.get("value") or ""


@dataclass
class Person:
    """One person's acts: what was told, and what was asked but not answered."""

    number: int
    registered: str = "no"  # then "unknown" or "told"
    changed: str = "no"
    signed_in: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)  # what was told: IdSesionSence
    closed: list[str] = field(default_factory=list)
    unanswered_openings: int = 0
    unanswered_closings: int = 0

    @property
    def run(self) -> str:
        return f"{self.number}-{check_digit(self.number)}"

    @property
    def email(self) -> str:
        return f"p{self.number}@example.cl"

    @property
    def mobile(self) -> str:
        return f"9{self.number % 10_000_000:07d}"

    @property
    def acknowledged(self) -> int:
        told = (self.registered, self.changed, *self.signed_in).count("told")
        return told + len(self.opened) + len(self.closed)


class Unanswered(Exception):
    """No answer, or one that says nothing of what became of the act."""


class People:
    """A crowd. Each does everything once, from a browser and an address of their own."""

    def __init__(self, url: str, at_once: int) -> None:
        self.url = url
        self.everybody: list[Person] = []
        self.unanswered = 0
        self.strange: list[str] = []
        self.enough = Event()
        self._lock = Lock()
        self.at_once = at_once

    def live(self) -> None:
        """Be one person after another until it is enough. For a thread."""
        while not self.enough.is_set():
            with self._lock:
                person = Person(FIRST_NUMBER + len(self.everybody))
                self.everybody.append(person)
            try:
                with httpx.Client(base_url=self.url, timeout=30, headers=self._headers(person)) as browser:
                    Life(browser, person, self.enough).run()
            except Unanswered:
                self.unanswered += 1
                time.sleep(0.1)  # the site is down; a person would not knock a thousand times a second
            except Exception as error:  # written down, for the test to show
                self.strange.append(f"{person}: {error!r}")

    def _headers(self, person: Person) -> dict[str, str]:
        return {"X-Forwarded-For": f"10.{person.number >> 16 & 255}.{person.number >> 8 & 255}.{person.number & 255}"}


class Life:
    """Register, sign in, change the key, sign in again, open a session, close it."""

    def __init__(self, browser: httpx.Client, person: Person, enough: Event) -> None:
        self.browser, self.person, self.enough = browser, person, enough

    def run(self) -> None:
        for step in self.steps():
            if self.enough.is_set():
                return
            step()

    def steps(self) -> Iterator[Callable[[], object]]:
        yield self.register
        yield self.sign_in
        yield self.change
        yield self.sign_in
        yield self.open
        yield self.close

    def ask(self, method: str, path: str, data: dict[str, str] | None = None) -> httpx.Response:
        try:
            answer = self.browser.request(method, path, data=data)
        except httpx.HTTPError as error:
            raise Unanswered from error
        if answer.status_code >= 500:
            raise Unanswered
        return answer

    def fields(self, path: str) -> dict[str, str]:
        return Form(self.ask("GET", path).text).values

    def post(self, path: str, data: dict[str, str]) -> str:
        """Post a form; return where its success leads to."""
        answer = self.ask("POST", path, data)
        if answer.status_code != httpx.codes.FOUND:
            words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))
            raise AssertionError(
                f"{path} {answer.status_code}: {words.partition('Hay un problema')[2][:200] or words[:600]}"
            )
        return answer.headers["location"]

    def register(self) -> None:
        mine = {"rut": self.person.run, "email": self.person.email, "mobile": self.person.mobile}
        form = {**self.fields("/persona/registrarse"), **REGISTRATION, **mine}
        self.person.registered = "unknown"
        self.post("/persona/registrarse", {**form, "new_key": KEYS[0], "new_key_again": KEYS[0]})
        self.person.registered = "told"

    @property
    def key(self) -> str:
        return KEYS[self.person.changed == "told"]

    def sign_in(self) -> None:
        if "sesion" in self.browser.cookies:
            self.browser.cookies.delete("sesion")
        form = {**self.fields("/ingresar"), "rut": self.person.run, "key": self.key}
        self.person.signed_in.append("unknown")
        self.post("/ingresar", form)
        self.person.signed_in[-1] = "told"

    def change(self) -> None:
        form = {**self.fields("/persona/cambiar"), "rut": self.person.run, "key": KEYS[0]}
        path = self.post("/persona/cambiar", form)
        form = {**self.fields(path), "new_key": KEYS[1], "new_key_again": KEYS[1]}
        self.person.changed = "unknown"
        self.post(path, form)
        self.person.changed = "told"

    def _mark(self, endpoint: str, **more: str) -> httpx.Response:
        asked = {**GOOD, "RunAlumno": self.person.run, **more}
        form = Form(self._answer(f"/rce/Registro/{endpoint}", asked).text)
        return self._answer(form.action, {**form.values, "rut": self.person.run, "key": self.key})

    def _answer(self, path: str, data: dict[str, str]) -> httpx.Response:
        """Ask as a platform does. Code 300 says that something failed, not what became of the mark."""
        answer = self.ask("POST", path, data)
        if re.search(r'name="GlosaError" value="300"', answer.text):
            raise Unanswered
        return answer

    def open(self) -> None:
        self.person.unanswered_openings += 1
        answer = self._mark("IniciarSesion")
        self.person.unanswered_openings -= 1
        session = re.search(r'name="IdSesionSence" value="(\w+)"', answer.text)
        assert session, f"{answer.status_code} {answer.text[-800:]}"
        self.person.opened.append(session[1])

    def close(self) -> None:
        self.person.unanswered_closings += 1
        answer = self._mark("CerrarSesion", IdSesionSence=self.person.opened[-1])
        self.person.unanswered_closings -= 1
        assert "GlosaError" not in answer.text and "RunAlumno" in answer.text, answer.text[-800:]
        self.person.closed.append(self.person.opened[-1])
