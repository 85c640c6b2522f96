"""Template tags for the URLs of a profile's pages."""

from django import template

from clave.holders.profiles import BY_PROFILE

register = template.Library()


@register.simple_tag
def profile_url(profile: str, name: str) -> str:
    """Return the URL of a profile's page; empty if this profile has no such page."""
    config = BY_PROFILE[profile or "PN"]  # type: ignore[index]
    return config.url(name) if name in config.pages else ""
