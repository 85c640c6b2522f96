"""Somebody who reads pages in a real browser."""

import re
from pathlib import Path
from typing import Any

import axe_core_python
import pyotp
from playwright.sync_api import Page, expect

from clave.sandbox.people import OPERATOR_PASSWORD, TOTP_SECRET
from tests.installation import LiveInstallation

# Another store's tests run beside these.
expect.set_options(timeout=20_000)
AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
CHOICES = ("kind", "question", "region", "comuna", "sex", "country", "document_kind")
FIELDS = {
    "rut": "44444444-4",
    "answer": "Pelusa",
    "street": "Pasaje Los Aromos",
    "street_number": "45",
    "email": "cuatro@example.cl",
    "mobile": "8765 4321",
    "new_key": "QZ571938",
    "new_key_again": "QZ571938",
}


class Reader:
    """Opens pages, fills in forms, looks at what is there; every page seen is checked and kept as a picture."""

    def __init__(self, page: Page, site: LiveInstallation, folder: Path, *, scripts: bool = True) -> None:
        self.page, self.site, self.folder, self.scripts = page, site, folder, scripts
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        # A refused form answers 400, 429 or 503, which Chromium reports as a failed load; it is none.
        if message.type == "error" and not re.search("responded with a status of (4|503)", message.text):
            self.faults.append(message.text)

    def open(self, path: str) -> "Reader":
        self.page.goto(self.site.url + path)
        return self

    def sees(self, *words: str) -> "Reader":
        for word in words:
            expect(self.page.locator("main")).to_contain_text(word)
        assert self.faults == []
        return self

    def type(self, **texts: str) -> "Reader":
        for name, text in texts.items():
            self.page.locator(f"[name={name}]").fill(text)
        return self

    def choose(self, **values: str) -> "Reader":
        for name, value in values.items():
            self.page.locator(f"select[name={name}]").select_option(value)
        return self

    def fill(self, data: dict[str, str]) -> "Reader":
        """Type and choose what a form asks for."""
        self.choose(**{name: value for name, value in data.items() if name in CHOICES})
        return self.type(**{name: value for name, value in data.items() if name not in CHOICES and value})

    def change_key(self, path: str, who: dict[str, str], key: str, new: str = "NW604827") -> "Reader":
        """Change the key in hand for one of one's own."""
        self.open(path).fill({**who, "key": key}).read_letters().press("Validar").sees("Elija su clave nueva")
        return self.type(new_key=new, new_key_again=new).press("Cambiar Clave").sees("Su clave fue cambiada")

    def key_for(self, destination: str, without: str = "nothing like it") -> str:
        """Wait for a message with a temporary key, other than the one in hand; return the key."""
        text = self.site.message(destination, "clave temporal", without)["text"]
        match = re.search(r"\b[A-Z]{4}[0-9]{6}\b", text)
        assert match, text
        return match[0]

    def read_letters(self) -> "Reader":
        ticket = self.page.locator("[name=captcha_ticket]").input_value()
        return self.type(captcha=self.site.letters(ticket))

    def press(self, name: str) -> "Reader":
        # The page that follows, not the one that is left: waiting for "a page" could find the old one.
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()
        return self

    def fill_registration(self, **changes: str) -> "Reader":
        self.choose(question="mascota", region="13", comuna="13101")
        return self.type(**{**FIELDS, **changes})

    def enter_desk(self, role: str) -> "Reader":
        """Sign in to the back office as the demo's operator of this role."""
        self.open("/backoffice/ingresar").type(email=f"{role}@mesa.example.cl", password=OPERATOR_PASSWORD)
        return self.type(code=pyotp.TOTP(TOTP_SECRET).now()).press("Ingresar")

    def bring(self, name: str, content: bytes, field: str) -> "Reader":
        """Choose a file in a form."""
        self.page.locator(f"input[type=file][name={field}]").set_input_files(
            {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        )
        return self

    def follow(self, link: str) -> "Reader":
        """Press a link."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=link).first.click()
        return self

    def tick(self, label: str) -> "Reader":
        """Tick a box, or choose one of several."""
        self.page.get_by_label(label, exact=True).check()
        return self

    def keep(self, name: str) -> "Reader":
        """Keep a picture; make sure that nothing is wider than the screen."""
        on = "" if self.scripts else "movil-"
        # Painted in half the time of a PNG.
        self.page.screenshot(path=self.folder / f"{on}{name}.jpg", type="jpeg", quality=80, full_page=True)
        # Asked of the renderer, not of the page: on the phone no script runs.
        size = self.page.context.new_cdp_session(self.page).send("Page.getLayoutMetrics")["cssContentSize"]
        window = self.page.viewport_size
        assert window and size["width"] <= window["width"], f"{name} is {size['width']} px wide"
        return self

    def is_accessible(self, name: str) -> "Reader":
        """Keep a picture of the page and let axe-core, where scripts run, look for barriers."""
        self.keep(name)
        if not self.scripts:
            return self
        self.page.evaluate(AXE)
        found = self.page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
        assert found == [], [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
        return self
