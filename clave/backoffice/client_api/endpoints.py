"""REST API to manage the systems that rely on Clave. Authenticated with a supervisor's token, made in the back office.

Paths and responses are described by the OpenAPI document at `/api/clients/v1/openapi.json`. A request that does not
match it is answered with 422; one that matches but violates another rule (an address with an asterisk) with 400.
"""

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Status
from ninja.errors import HttpError
from ninja.security import HttpBearer

from clave.backoffice import api_tokens
from clave.backoffice.client_api.schemas import (
    ClientChanges,
    ClientId,
    ClientIn,
    ClientMade,
    ClientOut,
    Ended,
    Invalid,
    Problem,
    RotationIn,
    Search,
    SecretOut,
)
from clave.backoffice.models import ApiToken
from clave.lib.outcome import Refused
from clave.sso import clients
from clave.sso.models import Client
from clave.web.middleware import context_of

MOST = 500


class OperatorToken(HttpBearer):
    """A supervisor's live token, as `Authorization: Bearer <token>`."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        stored = api_tokens.find(token)
        if stored is not None:
            api_tokens.record_use(stored)
        return stored


api = NinjaAPI(
    title="Clave: clients",
    version="1",
    auth=OperatorToken(),
    docs_url=None,
    urls_namespace="clients_api",
    description=__doc__ or "",
)

FINDS = {400: Problem, 401: Problem, 404: Problem, 422: Invalid}
# 413: over 2 MB; 415: not JSON.
TAKES = {**FINDS, 413: Problem, 415: Problem}
# Operations available on the created client. Source: OpenAPI 3.1, "Link Object".
LINKS: dict[str, object] = {
    "responses": {
        201: {
            "links": {
                operation: {
                    "operationId": operation,
                    "parameters": {"client_id": "$response.body#/client/client_id"},
                }
                for operation in ("get_client", "change_client", "rotate_secret", "suspend_client", "resume_client")
            }
        }
    }
}


@api.exception_handler(Refused)
def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """Return a use case's refusal with its message."""
    return api.create_response(request, {"detail": refusal.message}, status=refusal.status)


def _operator(request: HttpRequest) -> str:
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    return str(token.operator_id)


def _client(client_id: str) -> Client:
    client = clients.find(client_id)
    if client is None:
        raise HttpError(404, "no such client")
    return client


@api.get("/clients", response={200: list[ClientOut], **FINDS}, operation_id="list_clients")
def list_clients(request: HttpRequest, search: Search = "") -> list[ClientOut]:
    """List the clients by name, at most 500: all, or those with `search` in name, contact or site."""
    return [ClientOut.of(client) for client in clients.search(search)[:MOST]]


@api.post("/clients", response={201: ClientMade, **TAKES}, openapi_extra=LINKS, operation_id="create_client")
def create_client(request: HttpRequest, sent: ClientIn) -> Status[ClientMade]:
    """Register a client. The answer is the only place where its secret is ever shown."""
    client = Client(**sent.model_dump())
    secret = clients.create(client, context_of(request), _operator(request))
    return Status(201, ClientMade(client=ClientOut.of(client), client_secret=secret))


@api.get("/clients/{client_id}", response={200: ClientOut, **FINDS}, operation_id="get_client")
def get_client(request: HttpRequest, client_id: ClientId) -> ClientOut:
    """Return a client's settings."""
    return ClientOut.of(_client(client_id))


@api.patch("/clients/{client_id}", response={200: ClientOut, **TAKES}, operation_id="change_client")
def change_client(request: HttpRequest, client_id: ClientId, sent: ClientChanges) -> ClientOut:
    """Change the settings that are sent."""
    changes = sent.model_dump(exclude_unset=True)
    return ClientOut.of(clients.update(_client(client_id), changes, context_of(request), _operator(request)))


@api.post("/clients/{client_id}/secret", response={200: SecretOut, 409: Problem, **TAKES}, operation_id="rotate_secret")
def rotate_secret(request: HttpRequest, client_id: ClientId, sent: RotationIn) -> SecretOut:
    """Give a client a new secret; the former one is valid for seven days more, unless `at_once`."""
    secret = clients.rotate_secret(_client(client_id), context_of(request), _operator(request), at_once=sent.at_once)
    return SecretOut(client_secret=secret)


@api.post("/clients/{client_id}/secret/end-former", response={200: Ended, **FINDS}, operation_id="end_former_secret")
def end_former_secret(request: HttpRequest, client_id: ClientId) -> Ended:
    """End a rotation: only the newest secret stays valid."""
    return Ended(ended=clients.end_former_secret(_client(client_id), context_of(request), _operator(request)))


@api.post("/clients/{client_id}/suspend", response={200: ClientOut, **FINDS}, operation_id="suspend_client")
def suspend_client(request: HttpRequest, client_id: ClientId) -> ClientOut:
    """Suspend a client: its tokens end at once."""
    return ClientOut.of(clients.set_active(_client(client_id), False, context_of(request), _operator(request)))


@api.post("/clients/{client_id}/resume", response={200: ClientOut, **FINDS}, operation_id="resume_client")
def resume_client(request: HttpRequest, client_id: ClientId) -> ClientOut:
    """Resume a suspended client."""
    return ClientOut.of(clients.set_active(_client(client_id), True, context_of(request), _operator(request)))
