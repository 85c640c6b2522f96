"""Who of the help desk is at this browser, what the role allows, and for how long."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ClassVar

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
# So often at most a session is written only to say that somebody is still there.
_NOTED_EVERY = timedelta(seconds=30)
View = Callable[..., HttpResponseBase]
EVERYBODY = tuple(Role)


def enter(request: HttpRequest, operator: Operator) -> None:
    """Begin an operator's session under a new key; a holder who was signed in here no longer is."""
    if request.session.session_key:
        request.session.flush()
    proof = {"operator": operator.pk, "password": _mark_of(operator)}
    request.session.update({**proof, "seen": clock.now().isoformat()})
    rotate_token(request)


def _mark_of(operator: Operator) -> str:
    """Return what a session keeps of the password it began under: another password ends it."""
    return fingerprint(operator.hash)[:32]


def current_operator(request: HttpRequest) -> Operator | None:
    """Return the operator of this browser, unless suspended or idle for a quarter of an hour."""
    pk = request.session.get("operator") if request.session.session_key else None
    if pk is None:
        return None
    now, seen = clock.now(), datetime.fromisoformat(request.session["seen"])
    operator = Operator.objects.filter(pk=pk, active=True).exclude(hash="").first() if now - seen < IDLE else None
    if operator is not None and request.session.get("password") != _mark_of(operator):
        operator = None
    if operator is None:
        request.session.flush()
    elif now - seen > _NOTED_EVERY:
        request.session["seen"] = now.isoformat()
    return operator


def for_roles(*roles: Role) -> Callable[[View], View]:
    """Return a decorator that gives a view the operator signed in, if the role is one of these."""

    def decorator(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            operator = current_operator(request)
            if operator is None:
                return HttpResponseRedirect(reverse("backoffice_signin"))
            if operator.role not in roles:
                return error_page(request, 403)
            request.operator = operator  # type: ignore[attr-defined]
            _count_waiting(operator)
            return view(request, operator, *args, **kwargs)

        return wrapped

    return decorator


def _count_waiting(operator: Operator) -> None:
    """Count what waits for a second person, for the menu of the page that follows."""
    if operator.role in (Role.AGENT, Role.SUPERVISOR):
        operator.changes_waiting = contact_change.waiting().count()
    if operator.role == Role.SUPERVISOR:
        operator.proposals_waiting = operator_changes.waiting().count()


class OperatorPage(FormPage[FormT]):
    """A form page of the back office for operators of these roles."""

    roles: ClassVar[tuple[Role, ...]] = EVERYBODY
    back = "/backoffice/"
    template_name = "backoffice/form.html"
    operator: Operator

    def find(self, **kwargs: object) -> HttpResponse | None:
        """Look up what the address names. Raises `Http404`; return an answer to give that one instead of the page."""
        return None

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> Any:
        return for_roles(*self.roles)(self._dispatch)(request, *args, **kwargs)

    def _dispatch(self, request: HttpRequest, operator: Operator, *args: object, **kwargs: object) -> HttpResponseBase:
        self.operator = operator
        ended = self.done_before(request) or self.find(**kwargs)
        if ended is not None:
            return ended
        return super().dispatch(request, *args, **kwargs)

    def context(self) -> dict[str, object]:
        return {"operator": self.operator}
