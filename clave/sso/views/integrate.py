"""The public page that says how to connect a system, with the system's own values."""

from django.http import HttpRequest, HttpResponse

from clave.sso import claims, clients, guide
from clave.web.rendering import show


def integrate(request: HttpRequest) -> HttpResponse:
    """Show the guide in one language (`con`), with the values of one client (`cliente`).

    Only what the client's own requests tell every browser is shown: no contact, no other address, no secret.
    """
    client_id = request.GET.get("cliente", "").strip()
    language = guide.BY_CODE.get(request.GET.get("con", ""), guide.LANGUAGES[0])
    found = clients.find(client_id)
    client = found or guide.without_client()
    context = {
        "guides": guide.LANGUAGES,
        "language": language,
        "found": found,
        "client_id": client_id if found else "",
        "unknown": bool(client_id) and found is None,
        "values": guide.values_of(client),
        "example": guide.example(language, client),
        "signature_fits": client.id_token_algorithm in language.algorithms,
        "told": [(scope, words) for scope, (_names, words) in claims.SCOPES.items() if scope in client.scopes],
    }
    return show(request, "sso/integrate.html", context)
