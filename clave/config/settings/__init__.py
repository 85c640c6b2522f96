"""Settings: `base` holds what is common; `embedded`, `cluster` and `test` add where state lives."""

from collections.abc import Mapping


def choose(environ: Mapping[str, str]) -> str:
    """Name the settings module for this environment: a PostgreSQL `DATABASE_URL` means a cluster."""
    url = environ.get("DATABASE_URL", "")
    return f"clave.config.settings.{'cluster' if url.startswith('postgres') else 'embedded'}"
