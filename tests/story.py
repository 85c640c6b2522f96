"""The words in which tests are told: a visitor who reads pages and fills in forms, a mailbox that is read."""

import re
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Any, BinaryIO

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from clave.lib import clock
from clave.notifications.models import Message
from clave.notifications.sending import deliver
from clave.web.captcha.tickets import letters_of

REGISTRATION = {
    "rut": "44.444.444-4",
    "question": "mascota",
    "answer": "Pelusa",
    "street": "Pasaje Los Aromos",
    "street_number": "45",
    "block": "",
    "apartment": "",
    "region": "13",
    "comuna": "13101",
    "email": "cuatro@example.cl",
    "home_phone": "",
    "work_phone": "",
    "mobile": "8765 4321",
    "new_key": "QZ571938",
    "new_key_again": "QZ571938",
}
PHONE = "+56987654321"
MAIN_FORM = re.compile(r"(?s)<form\b[^>]*\bdata-formulario\b.*?</form>")
# What goes into a field of a form: words, or a file.
Typed = str | BinaryIO | SimpleUploadedFile
# Tables that only their owner can empty, in the order in which they can be emptied.
FACTS = [
    "audit_seal",
    "audit_entry",
    "attendance_activesession",
    "attendance_correction",
    "attendance_sessionend",
]
FACTS += ["attendance_sessionstart"]


class Fields(HTMLParser):
    """Reads what the page's main form would post if sent as it stands."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.action = ""
        self._select: str | None = None
        self._textarea: str | None = None
        # The form alone: to read whole pages took a tenth of the suite's time.
        if form := MAIN_FORM.search(html):
            self.feed(form[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = dict(attrs)
        if tag == "form":
            self.action = a.get("action") or ""
        elif tag == "input" and (name := a.get("name")):
            kind = a.get("type", "text")
            if kind not in ("checkbox", "radio") or "checked" in a:
                self.values[name] = a.get("value") or ("on" if kind == "checkbox" else "")
        elif tag == "textarea" and (name := a.get("name")):
            self._textarea = name
            self.values[name] = ""
        elif tag == "select":
            self._select = a.get("name")
            if self._select:
                self.values[self._select] = ""
        elif tag == "option" and "selected" in a and self._select:
            self.values[self._select] = a.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            # A browser leaves out the newline right after the tag (HTML, section 13.2.6.4.7).
            self.values[self._textarea] += data if self.values[self._textarea] else data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = None


class Page:
    """An answer as a person sees it."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status = response.status_code
        self.html = response.content.decode() if not response.streaming else ""
        self.url = (getattr(response, "redirect_chain", None) and response.redirect_chain[-1][0]) or response.request[
            "PATH_INFO"
        ]
        form = Fields(self.html)
        self.fields = form.values
        self.url = form.action or self.url

    @property
    def text(self) -> str:
        body = re.sub(r"(?s)<(script|style|select).*?</\1>", " ", self.html)
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))

    def shows(self, *words: str) -> bool:
        """Say whether all the words are on the page; fails with the page's text, so that a failure can be read."""
        for word in words:
            assert word in self.text, f"«{word}» is not on the page ({self.status} {self.url}): {self.text[:1500]}"
        return True


class Visitor:
    """A person with a browser of their own."""

    def __init__(self, address: str = "203.0.113.7", **headers: str) -> None:
        self.client = Client(REMOTE_ADDR=address)
        self.client.defaults.update(headers)
        self.page: Page

    def open(self, path: str) -> Page:
        self.page = Page(self.client.get(path, follow=True))
        return self.page

    def letters(self, ticket: str) -> str:
        """Look at the image; read its letters as a person would (here: where the image was painted from)."""
        assert self.client.get(f"/captcha/{ticket}.png").status_code == 200
        return letters_of(ticket.split("-")[0])

    def fill(self, **typed: str) -> dict[str, str]:
        """Return what sending the present form with these words typed in would post."""
        data = {**self.page.fields, **typed}
        if "captcha_ticket" in data and "captcha" not in typed:
            data["captcha"] = self.letters(data["captcha_ticket"])
        return data

    def send(self, **typed: Typed) -> Page:
        """Fill in the present page's form and send it."""
        words = {name: value for name, value in typed.items() if isinstance(value, str)}
        return self.post(self.page.url, {**self.fill(**words), **typed})

    def post(self, path: str, data: Mapping[str, Typed]) -> Page:
        self.page = Page(self.client.post(path, data, follow=True))
        return self.page

    def register(self, **changes: str) -> Page:
        self.open("/persona/registrarse")
        return self.send(**{**REGISTRATION, **changes})

    def sign_in(self, rut: str, key: str, **more: str) -> Page:
        self.open("/ingresar")
        return self.send(rut=rut, key=key, **more)

    def ask_for_key(self, rut: str, answer: str) -> Page:
        self.open("/persona/recuperar")
        self.send(rut=rut)
        return self.send(answer=answer)

    def change_key(self, rut: str, old: str, new: str) -> Page:
        self.open("/persona/cambiar")
        page = self.send(rut=rut, key=old)
        return self.send(new_key=new, new_key_again=new) if "new_key" in page.fields else page


def found(pattern: str, text: str) -> re.Match[str]:
    """Find this in a text; fails with the text, so that a failure can be read."""
    match = re.search(pattern, text)
    assert match, f"«{pattern}» is not in: {text[:1500]}"
    return match


class Mailbox:
    """What has arrived outside. Reading first sends what is in the outbox."""

    def all(self) -> list[dict[str, Any]]:
        from clave.sandbox import services

        due = Message.objects.filter(state="pending", next_try_at__lte=clock.now())
        for message in list(due.order_by("created_at").values_list("pk", flat=True)):
            deliver(message)
        return services.messages()

    def to(self, destination: str) -> list[dict[str, Any]]:
        return [message for message in self.all() if message["to"] == destination]

    def last(self, destination: str) -> dict[str, Any]:
        found = self.to(destination)
        assert found, f"nothing for {destination}; arrived: {[(m['to'], m.get('subject')) for m in self.all()]}"
        return found[0]

    def key(self, destination: str) -> str:
        """Read the temporary key in the last message to this destination."""
        return found(r"\b[A-Z]{4}[0-9]{6}\b", self.last(destination)["text"])[0]


def at_rts() -> Visitor:
    """The training body's representative, signed in at RTS."""
    visitor = Visitor()
    assert visitor.open("/rts").shows("Ingresar como Persona Jurídica", "RUT Empresa")
    page = visitor.send(rut="76543210-3", representative="33.333.333-3", key="CA739105")
    assert page.shows("Registro de tokens (RTS)", "Capacita Austral SpA") and page.url == "/rts"
    return visitor
