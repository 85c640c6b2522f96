"""Runs the eight points against an integrator's application, as far as they can be seen from outside.

It visits as people's browsers do and runs no script, so that whatever redeems a code is the application's server. With
a test person it goes all the way, and tries what an attacker would. Nothing of the application is believed: what
happened to a code is read in the grant.
"""

import re
import time
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from clave.lib.crypto import fingerprint
from clave.sso import clients, tokens
from clave.sso.certification import visits
from clave.sso.certification.browser import Answer, Browser, NotAllowed, Unreachable
from clave.sso.certification.person import Person, sent_back
from clave.sso.certification.points import Finding, Verdict
from clave.sso.certification.visits import Entry, Seen
from clave.sso.issuers import BY_DIALECT
from clave.sso.models import Client, Grant

MOST_SECONDS = 30
LEAST_STATE = 30  # characters, as the manual has it
_WORDS = re.compile(r"[A-Za-z0-9_.-]{30,}")
_SECRETS = re.compile(r"[A-Za-z0-9_-]{30,}")
_LOCAL = ("localhost", "127.0.0.1", "::1")


def run(client: Client, url: str, person: Person | None, logout_url: str = "") -> list[Finding]:
    """Return the findings, in the order of the points; of some points several."""
    try:
        found = _visited(client, url, person, logout_url)
    except NotAllowed as error:
        words = _("No se visita {url}: su sitio no está entre las direcciones de retorno registradas.")
        found = [Finding(5, Verdict.UNSEEN, words.format(url=_shown(error)))]
    except Unreachable as error:
        found = [Finding(5, Verdict.FAILED, _("{url} no responde.").format(url=_shown(error)))]
    except ValueError:  # an address of the application's that is none
        found = [Finding(5, Verdict.FAILED, _("El sitio lleva a una dirección que no se puede leer."))]
    return sorted(found, key=lambda finding: finding.point)


def _shown(error: Exception) -> str:
    """Return an address without its query, where a code may be."""
    return str(error).partition("?")[0]


def _visited(client: Client, url: str, person: Person | None, logout_url: str) -> list[Finding]:
    seen, ends_at = Seen(), time.monotonic() + MOST_SECONDS
    entry, other = visits.enter(client, url, ends_at), visits.enter(client, url, ends_at)
    seen.also([*entry.answers, *other.answers])
    found = [_button(entry), _https(client, url), _window(entry)]
    if not entry.request_url or not other.request_url:
        return [*found, Finding(5, Verdict.FAILED, _("Ese sitio no lleva a Clave: no hay enlace que se reconozca."))]
    found += [_state_is_new(entry, other), *_request(client, entry), _refusal(client, url, seen, ends_at)]
    if person is None:
        words = _("Para verlo hay que ingresar: se comprueba en la demostración, con una persona de prueba.")
        found += [Finding(point, Verdict.UNSEEN, words) for point in (6, 8)]
    else:
        found += _signed_in(client, entry, other, person, logout_url, seen)
    return [*found, _secret(client, seen)]


def _finding(point: int, passed: bool, good: str, bad: str) -> Finding:
    return Finding(point, Verdict.PASSED if passed else Verdict.FAILED, good if passed else bad)


def _button(entry: Entry) -> Finding:
    if entry.link is None:
        return Finding(
            1, Verdict.UNSEEN, _("La dirección lleva directo a Clave: indique la página que tiene el botón.")
        )
    good = _("El botón nombra a Clave. Compruebe a la vista que cumple los lineamientos.")
    return _finding(1, visits.is_named(entry.link), good, _("El botón no dice «Clave SENCE»."))


def _https(client: Client, url: str) -> Finding:
    addresses = [url, *client.redirect_uris, *client.post_logout_redirect_uris]
    plain = [each for each in addresses if urlsplit(each).scheme == "http"]
    if plain and all(urlsplit(each).hostname in _LOCAL for each in plain):
        return Finding(2, Verdict.UNSEEN, _("Corre en su propia máquina: al publicarlo use https."))
    return _finding(2, not plain, _("Todas las direcciones usan https."), _("Hay direcciones sin https."))


def _window(entry: Entry) -> Finding:
    framed = any(settings.CLAVE_URL in frame for answer in entry.answers for frame in answer.page.frames)
    target = entry.link.target if entry.link else ""
    good = _("Ni marco ni ventana aparte. (Un script podría abrirla: compruébelo a la vista.)")
    return _finding(
        3, not framed and target in ("", "_self", "_top"), good, _("Abre Clave en un marco u otra ventana.")
    )


def _state_is_new(entry: Entry, other: Entry) -> Finding:
    one, two = (each.parameters.get("state", "") for each in (entry, other))
    if len(one) < LEAST_STATE:
        words = _("El state tiene {length} caracteres: deben ser al menos {least}, al azar.")
        return Finding(4, Verdict.FAILED, words.format(length=len(one), least=LEAST_STATE))
    return _finding(4, one != two, _("Cada visita lleva otro state."), _("Dos visitas llevaron el mismo state."))


def _request(client: Client, entry: Entry) -> list[Finding]:
    """Judge the authorization request. One that was pushed says little in the address."""
    sent = entry.parameters
    if "request_uri" in sent or "request" in sent:
        return [
            Finding(5, Verdict.UNSEEN, _("La solicitud va aparte (PAR o firmada): Clave la comprueba al recibirla."))
        ]
    scopes = set(sent.get("scope", "").split())
    wrong = [
        name
        for name, good in (
            ("client_id", sent.get("client_id") == client.client_id),
            ("response_type", sent.get("response_type") == "code"),
            ("redirect_uri", sent.get("redirect_uri") in client.redirect_uris),
            ("scope", {"openid"} <= scopes <= set(client.scopes)),
            ("code_challenge", not client.requires_pkce or sent.get("code_challenge_method") == "S256"),
        )
        if not good
    ]
    bad = _("En la solicitud está mal: {names}.").format(names=", ".join(wrong))
    return [_finding(5, not wrong, _("La solicitud es correcta."), bad)]


def _refusal(client: Client, url: str, seen: Seen, ends_at: float) -> Finding:
    """Come back with "the person said no": it must be no fault (RFC 6749, section 4.1.2.1)."""
    entry = visits.enter(client, url, ends_at)
    state = entry.parameters.get("state", "")
    answers = seen.also(entry.browser.go(entry.back(error="access_denied", state=state)))
    bad = _("Si la persona no da permiso, el sitio falla con el código {status}.").format(status=answers[-1].status)
    return _finding(5, answers[-1].status < 500, _("Si la persona no da permiso, el sitio no falla."), bad)


def _signed_in(
    client: Client, entry: Entry, other: Entry, person: Person, logout_url: str, seen: Seen
) -> list[Finding]:
    """Sign the test person in, and try the answer in the wrong browser before the right one."""
    address = sent_back(entry.browser, entry.request_url, entry.parameters.get("redirect_uri", ""), person)
    grant = _grant_of(address)
    if grant is None:
        return [Finding(5, Verdict.UNSEEN, _("La persona de prueba no pudo ingresar en Clave."))]
    wrong = seen.also(other.browser.go(address))
    stolen = _is_redeemed(grant)
    good = _("Una respuesta traída a otro navegador no se acepta.")
    bad = _("Aceptó en otro navegador la respuesta de esta persona: no comprueba el state.")
    found = [_finding(4, not stolen, good, bad), _no_fault(4, wrong[-1])]
    if stolen:
        return found
    home = seen.also(entry.browser.go(address))
    redeemed = _is_redeemed(grant)
    good = _("El servidor cambió el código por los tokens.")
    found.append(_finding(6, redeemed, good, _("El servidor no cambió el código por los tokens.")))
    if not redeemed:
        return found
    found += [_no_fault(5, home[-1]), _no_token_is_shown(seen)]
    found += _replayed(entry.browser, address, grant, seen)
    return [*found, _left(client, entry.browser, home[-1], logout_url, seen)]


def _no_fault(point: int, answer: Answer) -> Finding:
    bad = _("Falló con el código {status}.").format(status=answer.status)
    return _finding(point, answer.status < 500, _("No falló."), bad)


def _grant_of(address: str) -> Grant | None:
    code = dict(parse_qsl(urlsplit(address).query)).get("code", "")
    return Grant.objects.filter(code_hash=fingerprint(code)).first() if code else None


def _is_redeemed(grant: Grant) -> bool:
    return Grant.objects.filter(pk=grant.pk, code_used_at__isnull=False).exists()


def _no_token_is_shown(seen: Seen) -> Finding:
    """Look for access tokens of ours in every address and page."""
    words = {
        word
        for answer in seen.answers
        for text in (answer.url, answer.to, answer.text)
        for word in _WORDS.findall(text)
    }
    shown = any(tokens.read_access(word) for word in words)
    return _finding(6, not shown, _("Ningún token llegó al navegador."), _("El token llegó al navegador."))


def _replayed(browser: Browser, address: str, grant: Grant, seen: Seen) -> list[Finding]:
    """Bring the same answer once more: its state is used up, so the code must not be redeemed again."""
    again = seen.also(browser.go(address))
    twice = Grant.objects.filter(pk=grant.pk, revoked_at__isnull=False).exists()
    good = _("La misma respuesta no se acepta dos veces.")
    bad = _("Cambió dos veces el mismo código: el state debe servir una sola vez.")
    return [_finding(4, not twice, good, bad), _no_fault(4, again[-1])]


def _left(client: Client, browser: Browser, home: Answer, logout_url: str, seen: Seen) -> Finding:
    """Log out of the application, and see whether Clave still knows the person."""
    answers = seen.also(visits.leave(browser, home, logout_url, until=""))
    if not answers:
        return Finding(8, Verdict.UNSEEN, _("No se ve cómo salir: indique la dirección con que se cierra la sesión."))
    asked = any(_is_logout(client, each.url) or _is_logout(client, each.to) for each in answers)
    account = browser.ask(f"{settings.CLAVE_URL}/mi-cuenta")
    gone = "/ingresar" in account.to
    good = _("Al salir de su sitio, la persona salió también de Clave.")
    bad = _("La persona sigue en Clave.") if asked else _("Al salir, su sitio no llama al cierre de sesión de Clave.")
    return _finding(8, asked and gone, good, bad)


def _is_logout(client: Client, url: str) -> bool:
    return url.startswith(BY_DIALECT[client.dialect].logout_url)


def _secret(client: Client, seen: Seen) -> Finding:
    """Look for the client's secret in every page: of each long word the hash is compared."""
    words = {word for answer in seen.answers for word in _SECRETS.findall(answer.text)}
    hashes = set(clients.valid_secrets(client).values_list("hash", flat=True))
    shown = not hashes.isdisjoint(map(fingerprint, words))
    good = _("El secreto no está en las páginas vistas. (El código no se ve desde fuera.)")
    return _finding(7, not shown, good, _("El secreto está a la vista en una página: cámbielo ahora."))
