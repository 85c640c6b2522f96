"""The participant's own pages: courses and marks."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View

from clave.attendance import record
from clave.attendance.models import WarningOptOut
from clave.holders.models import Holder, Profile
from clave.signin.login_required import current_holder, to_sign_in
from clave.web.rendering import show


def participant(request: HttpRequest) -> Holder | None:
    """Return the Persona Natural signed in in this browser."""
    holder = current_holder(request)
    return holder if holder and holder.profile == Profile.PERSONA_NATURAL else None


def courses(request: HttpRequest) -> HttpResponse:
    """Show a participant's courses with credited time, percentage and every session."""
    holder = participant(request)
    if holder is None:
        return to_sign_in(request)
    context = {
        "courses": record.courses_of(holder.identifier),
        "warned": not WarningOptOut.objects.filter(run=holder.identifier).exists(),
    }
    return show(request, "attendance/courses.html", context)


class Warnings(View):
    """Turn the warnings before a session's limit on or off."""

    def post(self, request: HttpRequest) -> HttpResponse:
        holder = participant(request)
        if holder is None:
            return HttpResponseRedirect(reverse("signin"))
        if request.POST.get("avisos") == "no":
            WarningOptOut.objects.get_or_create(run=holder.identifier)
        else:
            WarningOptOut.objects.filter(run=holder.identifier).delete()
        return HttpResponseRedirect(reverse("my_courses"))

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("my_courses"))
