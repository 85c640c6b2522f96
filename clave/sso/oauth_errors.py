"""Errors as OAuth reports them."""

from dataclasses import dataclass

from django.http import HttpResponse, JsonResponse

# Errors that clients are to read as "who are you?" (RFC 6749, section 5.2; RFC 6750, section 3.1).
_UNAUTHORIZED = {"invalid_client", "invalid_token"}


@dataclass(frozen=True)
class OAuthError:
    """An error code of the standards, with a description in English for the client's developer.

    Source: RFC 6749, sections 4.1.2.1 and 5.2; OpenID Connect Core 1.0, section 3.1.2.6.
    """

    error: str
    description: str

    def response(self) -> HttpResponse:
        """Return the error as the body of an endpoint's response."""
        status = 401 if self.error in _UNAUTHORIZED else 400
        body = {"error": self.error, "error_description": self.description}
        response = JsonResponse(body, status=status)
        if self.error == "invalid_client":
            response.headers["WWW-Authenticate"] = 'Basic realm="Clave"'
        elif status == 401:
            challenge = f'error="{self.error}", error_description="{self.description}"'
            response.headers["WWW-Authenticate"] = f"Bearer {challenge}, DPoP {challenge}"
        return response
