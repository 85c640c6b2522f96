"""Lint: no secret in the repository (detect-secrets over what git tracks)."""

import subprocess
import sys

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings

# Keys that the demo publishes on purpose live here; hashes of packages look random because they are.
PUBLIC = (
    "requirements/",
    "clave/sandbox/",
    "tests/",
    "clave/core/tests/",
    "clave/credentials/tests/",
    "docs/",
    "README.md",
)


def main() -> int:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True
    )
    secrets = SecretsCollection()
    with default_settings():
        for name in tracked.stdout.splitlines():
            if not name.startswith(PUBLIC):
                secrets.scan_file(name)
    found = [f"{name}:{secret.line_number}: {secret.type}" for name, secret in secrets]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
