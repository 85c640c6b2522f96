"""Settings: `base` holds what all installations share; `embedded`, `cluster` and `test` configure storage."""

from collections.abc import Mapping


def choose(environ: Mapping[str, str]) -> str:
    """Return the settings module for this environment: a PostgreSQL `DATABASE_URL` means a cluster."""
    url = environ.get("DATABASE_URL", "")
    return f"clave.config.settings.{'cluster' if url.startswith('postgres') else 'embedded'}"
