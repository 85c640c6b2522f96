"""The oracle's addresses: the provider under /openid/, as at ClaveÚnica, and a sign-in without a page."""

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path


def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign the one person in and go on."""
    person = authenticate(request, username="44444444-4", password="testing")
    assert person is not None
    login(request, person)
    return HttpResponseRedirect(request.GET["next"])


urlpatterns = [
    path("openid/", include("oidc_provider.urls", namespace="oidc_provider")),
    path("accounts/login/", sign_in),
]
