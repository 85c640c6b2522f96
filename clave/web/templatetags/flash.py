"""What this browser has just done, said on the page it came back to."""

from typing import Any

from django import template

from clave.lib.outcome import Flash
from clave.web import idempotency
from clave.web.middleware import context_of

register = template.Library()


@register.inclusion_tag("web/_said.html", takes_context=True)
def said(context: dict[str, Any]) -> dict[str, Any]:
    """Say what was done under the reference in the address, to the browser that did it and to no other."""
    request = context["request"]
    reference = request.GET.get("hecho", "")
    found = idempotency.find(reference, context_of(request)) if reference else None
    return {"sentence": found.facts["sentence"] if found and found.kind == Flash.kind else ""}
