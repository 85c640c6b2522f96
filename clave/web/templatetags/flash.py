"""Flash messages: confirm on the next page what this browser has just done."""

from django import template
from django.template import RequestContext

from clave.lib.outcome import Flash
from clave.web import idempotency
from clave.web.middleware import context_of

register = template.Library()


@register.inclusion_tag("web/_said.html", takes_context=True)
def said(context: RequestContext) -> dict[str, object]:
    """Return the message for the reference in the URL, only to the browser that sent the form."""
    request = context.request
    reference = request.GET.get("hecho", "")
    outcome = idempotency.find(reference, context_of(request)) if reference else None
    return {"sentence": outcome.facts["sentence"] if outcome and outcome.kind == Flash.kind else ""}
