"""Test settings: either database, cheap hashes, tasks queued until a test runs them."""

import os
import tempfile

os.environ.setdefault("CLAVE_HOME", tempfile.mkdtemp(prefix="clave-test-"))
# Of tests that run side by side (pytest-xdist) each process has a store and a mailbox of its own.
if (worker := os.environ.get("PYTEST_XDIST_WORKER", "")) and not os.environ["CLAVE_HOME"].endswith(f"/{worker}"):
    os.environ["CLAVE_HOME"] += f"/{worker}"
os.environ["CLAVE_DEMO"] = "1"
os.environ.setdefault("CLAVE_SECRET_KEY", "only-for-tests-" + "k" * 60)

if os.environ.get("DATABASE_URL", "").startswith("postgres"):
    from clave.config.settings.cluster import *  # noqa: F403
    from clave.config.settings.cluster import CLAVE_HOME, DATABASES, STORAGES
else:
    from clave.config.settings.embedded import *  # noqa: F403
    from clave.config.settings.embedded import CLAVE_HOME, DATABASES, STORAGES

    # A file, not memory: the threads of a test must share the database.
    DATABASES["default"]["TEST"] = {"NAME": CLAVE_HOME / "test.sqlite3"}
    # No test pulls the plug, so nothing has to wait for the disk.
    _options: dict[str, object] = DATABASES["default"]["OPTIONS"]
    _options["init_command"] = f"{_options['init_command']} PRAGMA synchronous=OFF;"

CLAVE_GUARD = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
ARGON2_MEMORY_KIB = 64
ARGON2_TIME = 1
RCE_PENDING_FACTOR = 1000
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
LOGGING = {"level": "WARNING"}
(CLAVE_HOME / "static").mkdir(exist_ok=True)
