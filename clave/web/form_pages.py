"""Base views of all form pages."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.views import View

from clave.lib.crypto import fingerprint
from clave.lib.outcome import Flash, Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.text import Text
from clave.web import idempotency
from clave.web.errors import error_page, refusal_page
from clave.web.forms import ClaveForm, Initial, Typed
from clave.web.idempotency import Done
from clave.web.middleware import context_of
from clave.web.rendering import CSRF, SUBMISSION, filled, page_of, rendered_once, show
from clave.web.wizard import Wizard

FormT = TypeVar("FormT", bound=ClaveForm)


class FormPage(View, Generic[FormT]):
    """A page with one form and one task. A `Refused` is shown beside the field it concerns.

    A form that changes nothing implements `perform`. One that makes a change, which must happen exactly once, sets
    `changes` and implements two steps (decision 0030): `check` validates and calls external services; `complete` makes
    the change. What `complete` writes is committed together with its outcome or not at all.
    """

    form_class: type[FormT]
    template_name = "web/form_page.html"
    title: ClassVar[Text] = ""
    intro: ClassVar[Text] = ""
    button: ClassVar[Text] = ""
    step: ClassVar[tuple[int, int] | None] = None
    back = "/"
    changes = False
    # Whether the blank form is the same for everybody, so that it can be rendered once and cached (abuse case 53).
    cached_blank = False

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        if self.cached_blank:
            return page_of(filled(request, self._blank(request)))
        return self.page(self.make_form())

    def head(self, request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        """Respond as `get` does. Django's default makes a reference cycle that keeps the view alive after its request.

        The view holds form data, which should be freed with the request.
        """
        return self.get(request, **kwargs)

    def post(self, request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        if "refrescar" in request.POST:
            return self._refreshed(request)
        if not self.changes:
            return self._submitted(context_of(request))
        key = request.POST.get("envio", "")
        if not 16 <= len(key) <= 64:
            return self.page(self.make_form(), status=400)
        try:
            claim = idempotency.claim(replace(context_of(request), submission=key))
        except Refused as refused:
            return refusal_page(request, refused)
        if claim.done:
            return self.done_page(claim.done)
        try:
            return self._submitted(claim.context)
        finally:
            idempotency.release(claim.context)

    def _submitted(self, context: RequestContext) -> HttpResponseBase:
        form = self.make_form(self.request.POST)
        if not form.is_valid():
            return self.page(form, status=400)
        try:
            return self._done_once(form, context) if self.changes else self.perform(form, context)
        except Refused as refused:
            return self.refused(form, refused)

    def _done_once(self, form: FormT, context: RequestContext) -> HttpResponseBase:
        """Make the change and store its outcome under the form's key, in one transaction."""
        checked = self.check(form, context)
        if isinstance(checked, HttpResponseBase):
            return checked
        with transaction.atomic():
            outcome = self.complete(form, checked, context)
            idempotency.finish(context, outcome)
        self.completed()
        return self.done_page(Done(fingerprint(context.submission), outcome.kind, outcome.facts(), outcome.secret))

    def done_before(self, request: HttpRequest) -> HttpResponse | None:
        """Return the outcome of an earlier post of this form, even if the object it concerned no longer exists."""
        if request.method != "POST" or not self.changes:
            return None
        key = request.POST.get("envio", "")
        done = idempotency.find_again(replace(context_of(request), submission=key))
        return self.done_page(done) if done else None

    def _refreshed(self, request: HttpRequest) -> HttpResponse:
        """Show a new captcha without a script: everything typed is kept except the secrets."""
        return self.page(self.make_form(initial=dict(request.POST.items())))

    def _blank(self, request: HttpRequest) -> str:
        return rendered_once(request, lambda: self.render_page(self.make_form()))

    def make_form(self, data: Typed = None, initial: Initial = None) -> FormT:
        return self.form_class(data=data, initial=initial, request=self.request)

    def context(self) -> dict[str, object]:
        """Return additional context for the template."""
        return {}

    def refusal_context(self) -> dict[str, object]:
        """Return additional context for the page of a refusal that ends the flow."""
        return {}

    def perform(self, form: FormT, context: RequestContext) -> HttpResponseBase:
        """Run the use case of a form that changes nothing; return the response. Raises `Refused`."""
        raise NotImplementedError

    def check(self, form: FormT, context: RequestContext) -> Any:
        """Return what `complete` needs. Runs outside any transaction. Raises `Refused`.

        Registry queries and key checks belong here: they may be slow, and the attempts that a refusal counts and audits
        must persist. If this returns a response, it is sent and `complete` is not called.
        """
        return None

    def complete(self, form: FormT, checked: Any, context: RequestContext) -> Outcome:
        """Make the change, given the result of `check`; return the outcome. Raises `Refused`, which rolls it back."""
        raise NotImplementedError

    def completed(self) -> None:
        """Run after the change has been committed."""

    def refused(self, form: FormT, refused: Refused) -> HttpResponse:
        """Show a refusal beside the field it concerns; one that ends the flow has a page of its own."""
        if not refused.message:
            return refusal_page(self.request, refused, self.refusal_context())
        form.show_refusal(refused)
        return self.page(form, status=refused.status)

    def render_page(self, form: FormT, more: Mapping[str, object] | None = None) -> str:
        context = {
            "csrf": CSRF,
            "submission": SUBMISSION,
            "form": form,
            "title": self.title,
            "intro": self.intro,
            "button": self.button,
            "step": self.step,
            "back": self.back,
            "changes": self.changes,
            "view": self,
            **self.context(),
            **(more or {}),
        }
        return render_to_string(self.template_name, context, self.request)

    def page(self, form: FormT, status: int = 200) -> HttpResponse:
        return page_of(filled(self.request, self.render_page(form)), status)

    def done_page(self, done: Done) -> HttpResponse:
        """Show the outcome: at an address that survives a reload or, if it has a secret, in this response only."""
        if done.kind == Flash.kind:
            return HttpResponseRedirect(f"{done.facts['to']}?hecho={done.reference}")
        if done.secret:
            return show(self.request, f"done/{done.kind}.html", {**done.facts, "secret": done.secret})
        return HttpResponseRedirect(reverse("done", args=[done.reference]))


class StepPage(FormPage[FormT]):
    """A step of a wizard, identified by `flow` and `name`. `self.wizard` holds the results of earlier steps."""

    flow: ClassVar[str]
    name: ClassVar[str]
    wizard: Wizard

    @property
    def flow_name(self) -> str:
        """Return the URL name of the flow's first page, which is also the prefix of its steps' names."""
        return self.flow

    @property
    def back(self) -> str:  # type: ignore[override]
        """Return the URL of the previous step, or of the flow's first page."""
        previous = self.wizard.before(self.name)
        return reverse(f"{self.flow_name}_{previous}", args=[self.wizard.run]) if previous else reverse(self.flow_name)

    def dispatch(self, request: HttpRequest, *args: object, run: str, **kwargs: object) -> HttpResponseBase:
        done_page = self.done_before(request)
        if done_page is not None:
            return done_page
        try:
            self.wizard = Wizard.load(request, self.flow_name, run, self.name)
            self.prepare()
        except Refused as refused:
            return refusal_page(request, refused, {"restart": reverse(self.flow_name)})
        return super().dispatch(request, *args, run=run, **kwargs)

    def prepare(self) -> None:
        """Load what the step needs. Raises `StepRefused` if what earlier steps proved is no longer valid."""

    def completed(self) -> None:
        """End the flow: its purpose is accomplished."""
        self.wizard.end()

    def go(self, step: str, **data: object) -> HttpResponseRedirect:
        """Allow the next step and go there."""
        self.wizard.allow(step, **data)
        return HttpResponseRedirect(reverse(f"{self.flow_name}_{step}", args=[self.wizard.run]))


def done(request: HttpRequest, reference: str) -> HttpResponse:
    """Show the outcome of a form sent by this browser. The page can be reloaded without repeating anything."""
    outcome = idempotency.find(reference, context_of(request))
    if outcome is None:
        return error_page(request, 404)
    return show(request, f"done/{outcome.kind}.html", outcome.facts)
