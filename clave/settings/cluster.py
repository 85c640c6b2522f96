"""Several machines: PostgreSQL through psycopg's pool, Valkey or Redis as cache."""

import os

import dj_database_url

from clave.settings.base import *  # noqa: F403
from clave.settings.environment import number

DATABASES = {
    "default": {
        **dj_database_url.parse(os.environ["DATABASE_URL"]),
        "OPTIONS": {
            "pool": {"min_size": 2, "max_size": number("CLAVE_POOL", 12, 2), "timeout": 5},
            "connect_timeout": 3,
            "server_side_binding": True,
            "prepare_threshold": None,  # core/store.py prepares what is sent often
        },
    }
}
CACHES: dict[str, dict[str, object]]
if url := os.environ.get("CACHE_URL"):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}}
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
