"""One story in a browser, told of every client: sign in, userinfo, refresh, a new key, log out."""

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Error, Page

from tests.interop.clients import Client
from tests.interop.provider import Provider
from tests.interop.samples import discovered_issuer

STEPS = ("sign in", "userinfo", "refresh", "new key", "log out")
WAIT_MS = 20_000


class Journey:
    """A person's way through one application. `results` has a word for each step: "passed", or what went wrong."""

    def __init__(self, client: Client, url: str, provider: Provider, browser: Browser) -> None:
        self.client, self.url, self.provider, self.browser = client, url, provider, browser
        self.results: dict[str, str] = {}
        self.page = self._fresh_page()
        self.first: dict[str, Any] = {}

    def before_the_rotation(self) -> None:
        self._try("sign in", self.sign_in)
        self._try("userinfo", self.userinfo_is_of_the_same_person)
        self._try("refresh", self.refresh)

    def after_the_rotation(self) -> None:
        self._try("new key", self.sign_in_with_the_new_key)
        self._try("log out", self.log_out)

    def sign_in(self) -> None:
        self._enter()
        self.first = self._json("/me")
        if self._expects_id_token:
            expected = discovered_issuer(self.provider, self.client)
            assert self.first["id_token"]["iss"] == expected, "the issuer is another"

    def userinfo_is_of_the_same_person(self) -> None:
        userinfo = self.first["userinfo"]
        assert userinfo, "userinfo is empty"
        if self._expects_id_token:
            assert userinfo["sub"] == self.first["id_token"]["sub"], "userinfo is of somebody else"
        if self.client.dialect == "claveunica":
            assert userinfo["RolUnico"] == {"numero": 11111111, "DV": "1", "tipo": "RUN"}
            assert max(self.first["lengths"].values()) <= 120, "longer than the application's columns"

    def refresh(self) -> None:
        # Some refresh by themselves, by their clock; and a token made in the same second may be the same.
        self.page.wait_for_timeout(2000)
        after = self._json(self.client.refresh)
        assert after["access_token"] != self.first["access_token"], "the access token is the old one"
        assert after["userinfo"] == self.first["userinfo"], "userinfo says something else than before"

    def sign_in_with_the_new_key(self) -> None:
        """Sign in anew in another browser: the application has only seen the old key until now."""
        self.page = self._fresh_page()
        self._enter()
        after = self._json("/me")
        assert after["kid"] != self.first["kid"], "the id token is signed with the old key"

    def log_out(self) -> None:
        """Log out: afterwards the application knows nobody, and the provider asks for the key again."""
        if "new key" in self.client.without:
            self.page = self._fresh_page()
            self._enter()
        self.page.goto(self.url + "/logout")
        left = re.compile(re.escape(self.url + "/") + r"(\?.*)?$")  # some add their state
        self.page.wait_for_url(left)
        self.page.goto(self.url + "/me")
        assert "id_token" not in self.page.locator("body").inner_text(), "the application still knows the person"
        self._enter()

    @property
    def _expects_id_token(self) -> bool:
        return "new key" not in self.client.without

    def _enter(self) -> None:
        self.page.goto(self.url + "/")
        self.page.get_by_role("link", name="Ingresar").click()
        for name in self.client.buttons:
            self.page.get_by_role("button", name=name).click()
        self.provider.sign_in(self.page)
        self.page.wait_for_url(f"{self.url}/**")

    def _json(self, path: str) -> dict[str, Any]:
        """Open a page of the application that answers with JSON, by whatever redirects."""
        self.page.goto(self.url + path)
        self.page.wait_for_url(f"{self.url}/**")
        text = self.page.locator("body").inner_text()
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError:
            raise AssertionError(f"{path} does not answer with JSON: {text[:200]}") from None
        return answer

    def _fresh_page(self) -> Page:
        context = self.browser.new_context(locale="es-CL")
        context.set_default_timeout(WAIT_MS)
        return context.new_page()

    def _try(self, step: str, action: Callable[[], None]) -> None:
        """Do a step unless the client has none of it or an earlier one failed."""
        if step in self.client.without:
            self.results[step] = "-"
        elif all(result in ("passed", "-") for result in self.results.values()):
            try:
                action()
                self.results[step] = "passed"
            except (AssertionError, Error, KeyError) as error:
                self.results[step] = f"{str(error).splitlines()[0]} - the page is {self._shown()}"

    def _shown(self) -> str:
        """Return the page's address without its query, which may carry a code, and how its text begins."""
        text = " ".join(self.page.locator("body").inner_text().split())
        return f"{self.page.url.split('?')[0]}: {text[:200]}"
