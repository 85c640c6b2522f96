"""Operator sessions and role checks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.urls import reverse

from clave.backoffice import operator_changes
from clave.backoffice.models import Operator, Role
from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.selfservice.confirmations import contact_change
from clave.web.errors import error_page
from clave.web.form_pages import FormPage, FormT

IDLE = timedelta(minutes=15)
# Minimum interval between session writes that only record activity.
_ACTIVITY_INTERVAL = timedelta(seconds=30)
View = Callable[..., HttpResponseBase]
EVERYBODY = tuple(Role)


def enter(request: HttpRequest, operator: Operator) -> None:
    """Start an operator's session under a new session key; a holder signed in in this browser is signed out."""
    if request.session.session_key:
        request.session.flush()
    proof = {"operator": operator.pk, "password": _password_fingerprint(operator)}
    request.session.update({**proof, "seen": clock.now().isoformat()})
    rotate_token(request)


def _password_fingerprint(operator: Operator) -> str:
    """Return the fingerprint of the password stored in a session: a change of password ends the session."""
    return fingerprint(operator.hash)[:32]


def current_operator(request: HttpRequest) -> Operator | None:
    """Return the operator signed in in this browser, unless suspended or idle for 15 minutes."""
    pk = request.session.get("operator") if request.session.session_key else None
    if pk is None:
        return None
    now, seen = clock.now(), datetime.fromisoformat(request.session["seen"])
    operator = Operator.objects.filter(pk=pk, active=True).exclude(hash="").first() if now - seen < IDLE else None
    if operator is not None and request.session.get("password") != _password_fingerprint(operator):
        operator = None
    if operator is None:
        request.session.flush()
    elif now - seen > _ACTIVITY_INTERVAL:
        request.session["seen"] = now.isoformat()
    return operator


def signed_in_operator(request: HttpRequest, roles: tuple[Role, ...]) -> Operator | HttpResponse:
    """Return the signed-in operator if they have one of these roles, or the response to send instead."""
    operator = current_operator(request)
    if operator is None:
        return HttpResponseRedirect(reverse("backoffice_signin"))
    if operator.role not in roles:
        return error_page(request, 403)
    _count_waiting(operator)
    return operator


def for_roles(*roles: Role) -> Callable[[View], View]:
    """Return a decorator that passes the signed-in operator to a view, if they have one of these roles."""

    def decorator(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            operator = signed_in_operator(request, roles)
            return operator if isinstance(operator, HttpResponse) else view(request, operator, *args, **kwargs)

        return wrapped

    return decorator


def _count_waiting(operator: Operator) -> None:
    """Count what awaits a second person, for the page's menu."""
    if operator.role in (Role.AGENT, Role.SUPERVISOR):
        operator.changes_waiting = contact_change.waiting().count()
    if operator.role == Role.SUPERVISOR:
        operator.proposals_waiting = operator_changes.waiting().count()


class OperatorPage(FormPage[FormT]):
    """A form page of the back office for operators with one of `roles`."""

    roles: ClassVar[tuple[Role, ...]] = EVERYBODY
    back = "/backoffice/"
    template_name = "backoffice/form.html"
    operator: Operator

    def find(self, **kwargs: object) -> HttpResponse | None:
        """Load what the URL refers to. A response returned is sent instead of the page. Raises `Http404`."""
        return None

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        operator = signed_in_operator(request, self.roles)
        if isinstance(operator, HttpResponse):
            return operator
        self.operator = operator
        response = self.done_before(request) or self.find(**kwargs)
        return response if response is not None else super().dispatch(request, *args, **kwargs)

    def context(self) -> dict[str, object]:
        return {"operator": self.operator}
