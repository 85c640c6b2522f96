"""What a page offers: links, forms, frames. Read as a browser without JavaScript does."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Link:
    """A link, or a form with its button: where it leads and in which words. `fields` are a form's hidden values."""

    url: str
    text: str = ""
    target: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """A page's links, forms, frames, scripts and refresh."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[Link] = []
        self.frames: list[str] = []
        self.scripts: list[str] = []
        self.refresh = ""
        self._link: Link | None = None
        self._form: Link | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in named:
            self._link = Link(
                named["href"], named.get("title", "") + named.get("aria-label", ""), named.get("target", "")
            )
        elif tag == "form":
            method = named.get("method", "get").lower()
            self._form = Link(named.get("action", ""), target=named.get("target", ""), method=method)
        elif tag == "iframe":
            self.frames.append(named.get("src", ""))
        elif tag == "script" and "src" in named:
            self.scripts.append(named["src"])
        elif tag == "meta" and named.get("http-equiv", "").lower() == "refresh":
            self.refresh = named.get("content", "").partition("url=")[2]
        elif tag in ("input", "button"):
            self._field(named)
        elif tag == "img" and self._link is not None:
            self._link.text += named.get("alt", "")

    def _field(self, named: dict[str, str]) -> None:
        if self._form is None:
            return
        if named.get("type") in ("submit", "button"):
            self._form.text += " " + named.get("value", "")
        elif named.get("name") and named.get("type", "text") not in ("checkbox", "radio"):
            self._form.fields[named["name"]] = named.get("value", "")

    def handle_data(self, data: str) -> None:
        for open_element in (self._link, self._form):
            if open_element is not None:
                open_element.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            self.links.append(self._link)
            self._link = None
        elif tag == "form" and self._form is not None:
            self.links.append(self._form)
            self._form = None
