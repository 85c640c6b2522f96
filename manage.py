#!/usr/bin/env python3
"""Django's command line for Clave."""

import os
import sys


def main() -> None:
    from clave.config.settings import choose

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", choose(os.environ))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
