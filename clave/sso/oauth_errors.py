"""Errors as OAuth reports them."""

from dataclasses import dataclass

from django.http import HttpResponse, JsonResponse

# RFC 6749, section 5.2; RFC 9126, section 2.3. The others are 400.
_STATUS = {"invalid_client": 401, "temporarily_unavailable": 429}


@dataclass(frozen=True)
class OAuthError:
    """An error code of the standards, with a description in English for the client's developer.

    Source: RFC 6749, sections 4.1.2.1 and 5.2; OpenID Connect Core 1.0, section 3.1.2.6.
    """

    error: str
    description: str

    def response(self) -> HttpResponse:
        """Return the error as the body of an endpoint's response."""
        body = {"error": self.error, "error_description": self.description}
        response = JsonResponse(body, status=_STATUS.get(self.error, 400))
        if self.error == "invalid_client":
            response.headers["WWW-Authenticate"] = 'Basic realm="Clave"'
        return response

    def challenge(self) -> HttpResponse:
        """Return the error as a protected resource's answer (RFC 6750, section 3; RFC 9449, section 7.1).

        Without a code, which stands for a request without a token, it only says what is needed.
        """
        status = 400 if self.error == "invalid_request" else 401
        said = f'error="{self.error}", error_description="{self.description}"' if self.error else 'realm="Clave"'
        body = {"error": self.error or "invalid_token", "error_description": self.description}
        return JsonResponse(body, status=status, headers={"WWW-Authenticate": f"Bearer {said}, DPoP {said}"})
