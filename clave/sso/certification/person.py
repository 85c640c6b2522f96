"""The test person: signs in and consents on this site's own pages, as anybody does."""

from dataclasses import dataclass, field

from clave.sso.certification.browser import MOST_HOPS, Answer, Browser, is_ours


@dataclass(frozen=True)
class Person:
    """A test person's RUT and key."""

    rut: str
    key: str = field(repr=False)


def sent_back(browser: Browser, request_url: str, redirect_uri: str, person: Person) -> str:
    """Sign in at an authorization request; return the address to which the browser is sent back, empty if none."""
    answer = browser.ask(request_url)
    for _step in range(MOST_HOPS):
        if answer.to.startswith(redirect_uri):
            return answer.to
        if answer.to and is_ours(answer.to):
            answer = browser.ask(answer.to)
            continue
        filled = _filled(answer, person)
        if filled is None:
            return ""
        answer = browser.ask(answer.url, filled)
    return ""


def _filled(answer: Answer, person: Person) -> dict[str, str] | None:
    """Return what the person answers on a page: RUT and key, or yes; None if the page asks for something else."""
    for form in answer.page.links:
        if form.method == "post" and "key" in form.fields and "rut" in form.fields:
            return {**form.fields, "rut": person.rut, "key": person.key}
    if answer.url.endswith("/permiso"):
        consent = next((form for form in answer.page.links if form.method == "post"), None)
        return {**consent.fields, "permitir": "1"} if consent else None
    return None
