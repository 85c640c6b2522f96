"""The views every form page is made of."""

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
from clave.web.forms import ClaveForm
from clave.web.idempotency import Done
from clave.web.middleware import context_of
from clave.web.rendering import CSRF, SUBMISSION, filled, page_of, rendered_once, show
from clave.web.wizard import Wizard

FormT = TypeVar("FormT", bound=ClaveForm)


class FormPage(View, Generic[FormT]):
    """A page with one form and one task. A `Refused` goes back beside its field.

    A form that only leads on does so in `perform`. One that changes something, and must do it once, says `changes` and
    completes itself in two steps (decision 0030): `check` asks whom it must, `complete` does it, and what `complete`
    writes is committed together with its outcome or not at all.
    """

    form_class: type[FormT]
    template_name = "web/form_page.html"
    title: ClassVar[Text] = ""
    intro: ClassVar[Text] = ""
    button: ClassVar[Text] = ""
    step: ClassVar[tuple[int, int] | None] = None
    back = "/"
    changes = False
    # Whether the blank form is the same for everybody: then it is rendered once and kept (abuse case 53).
    cached_blank = False

    def get(self, request: HttpRequest, **kwargs: object) -> HttpResponse:
        if self.cached_blank:
            return page_of(filled(request, self._blank(request)))
        return self.page(self.make_form())

    def head(self, request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        """Answer as `get`. Django would make the view refer to itself, and with all it holds outlive its request."""
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
        """Do what the form asks for and store the outcome under its key, in one transaction."""
        checked = self.check(form, context)
        if isinstance(checked, HttpResponseBase):
            return checked
        with transaction.atomic():
            outcome = self.complete(form, checked, context)
            idempotency.finish(context, outcome)
        self.completed()
        return self.done_page(Done(fingerprint(context.submission), outcome.kind, outcome.facts(), outcome.secret))

    def done_before(self, request: HttpRequest) -> HttpResponse | None:
        """Return what this very form achieved when it was posted before, though what it was about may be gone."""
        if request.method != "POST" or not self.changes:
            return None
        key = request.POST.get("envio", "")
        done = idempotency.find_again(replace(context_of(request), submission=key))
        return self.done_page(done) if done else None

    def _refreshed(self, request: HttpRequest) -> HttpResponse:
        """Another picture without a script: everything typed stays but the secrets."""
        return self.page(self.make_form(initial=request.POST.dict()))

    def _blank(self, request: HttpRequest) -> str:
        return rendered_once(request, lambda: self.render_page(self.make_form()))

    def make_form(self, data: object = None, initial: object = None) -> FormT:
        return self.form_class(data, initial=initial, request=self.request)

    def context(self) -> dict[str, object]:
        """Return what the template needs besides the form."""
        return {}

    def refusal_context(self) -> dict[str, object]:
        """Return what the page of a refusal that ends the flow needs besides the refusal."""
        return {}

    def perform(self, form: FormT, context: RequestContext) -> HttpResponseBase:
        """Run the use case of a form that changes nothing; return where to go. Raises `Refused`."""
        raise NotImplementedError

    def check(self, form: FormT, context: RequestContext) -> Any:
        """Establish what `complete` needs, outside of any transaction. Raises `Refused`.

        Here a registry is asked and a key is tried: it may take long, and what a refusal has counted and recorded
        stays. A response ends it here.
        """
        return None

    def complete(self, form: FormT, checked: Any, context: RequestContext) -> Outcome:
        """Do it, with what `check` established; return what came of it. Raises `Refused`, which undoes it."""
        raise NotImplementedError

    def completed(self) -> None:
        """Go on from what is done and stored."""

    def refused(self, form: FormT, refused: Refused) -> HttpResponse:
        """Show a refusal beside the field it concerns; the ones that end a flow have pages of their own."""
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
        """Show what was achieved: at an address that survives reload, or, for a secret, in this answer only."""
        if done.kind == Flash.kind:
            return HttpResponseRedirect(f"{done.facts['to']}?hecho={done.reference}")
        if done.secret:
            return show(self.request, f"done/{done.kind}.html", {**done.facts, "secret": done.secret})
        return HttpResponseRedirect(reverse("done", args=[done.reference]))


class StepPage(FormPage[FormT]):
    """A step of a wizard. `flow` and `name` say which; `self.wizard` holds what earlier steps established."""

    flow: ClassVar[str]
    name: ClassVar[str]
    wizard: Wizard

    @property
    def flow_name(self) -> str:
        """Return the name of the flow's first page, which begins the names of its steps."""
        return self.flow

    @property
    def back(self) -> str:  # type: ignore[override]
        """Return the step before this one, or the flow's first page."""
        before = self.wizard.before(self.name)
        return reverse(f"{self.flow_name}_{before}", args=[self.wizard.run]) if before else reverse(self.flow_name)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        before = self.done_before(request)
        if before is not None:
            return before
        try:
            self.wizard = Wizard.load(request, self.flow_name, kwargs["run"], self.name)
            self.prepare()
        except Refused as refused:
            return refusal_page(request, refused, {"restart": reverse(self.flow_name)})
        return super().dispatch(request, *args, **kwargs)

    def prepare(self) -> None:
        """Look up what the step is about. Raises `StepRefused` when what earlier steps proved counts no longer."""

    def completed(self) -> None:
        """End the flow: what it was for is done."""
        self.wizard.end()

    def go(self, step: str, **data: object) -> HttpResponseRedirect:
        """Allow the next step and go there."""
        self.wizard.allow(step, **data)
        return HttpResponseRedirect(reverse(f"{self.flow_name}_{step}", args=[self.wizard.run]))


def done(request: HttpRequest, reference: str) -> HttpResponse:
    """Show what this browser achieved. It survives reload and cannot be replayed."""
    found = idempotency.find(reference, context_of(request))
    if found is None:
        return error_page(request, 404)
    return show(request, f"done/{found.kind}.html", found.facts)
