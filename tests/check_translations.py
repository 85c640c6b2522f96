"""Lint: every text of pages and messages is in the catalogues, and the English one is complete."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
LOCALE = ROOT / "clave" / "web" / "locale"


def texts(catalog: Catalog) -> set[str]:
    return {str(message.id if isinstance(message.id, str) else message.id[0]) for message in catalog if message.id}


def in_the_sources() -> set[str]:
    """Extract as Django's makemessages does, into a copy of the tree's catalogues."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "clave"
        subprocess.run(["cp", "-r", str(ROOT / "clave"), str(copy)], check=True)
        subprocess.run(
            [sys.executable, "-m", "django", "makemessages", "-l", "en", "--no-wrap", "-v0"],
            cwd=copy,
            check=True,
            env={"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "tests.locale_settings", "PYTHONPATH": str(ROOT)},
        )
        with (copy / "web/locale/en/LC_MESSAGES/django.po").open("rb") as file:
            return texts(read_po(file))


def main() -> int:
    wanted, faults = in_the_sources(), []
    for language in ("en", "ht"):
        with (LOCALE / language / "LC_MESSAGES" / "django.po").open("rb") as file:
            catalog = read_po(file)
        faults += [f"{language}: not in the catalogue: {text}" for text in sorted(wanted - texts(catalog))]
        for message in catalog:
            forms = [message.string] if isinstance(message.string, str) else [*(message.string or [""])]
            if not message.id or (language != "en" and not any(forms)):
                continue
            if not all(forms) or message.fuzzy:
                faults.append(f"{language}: not translated: {message.id}")
            source = message.id if isinstance(message.id, str) else message.id[-1]
            if set(re.findall(r"%\(\w+\)\w|\{\w+\}", source)) != set(re.findall(r"%\(\w+\)\w|\{\w+\}", forms[-1])):
                faults.append(f"{language}: other placeholders: {message.id}")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
