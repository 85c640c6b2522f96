"""Readiness protocol: a process tells the launcher it is ready by writing to a pipe given in its environment."""

import os

READY_FD = "CLAVE_READY_FD"


def report_ready() -> None:
    """Report readiness to the launcher, if there is one."""
    number = os.environ.pop(READY_FD, "")
    if number:
        os.write(int(number), b"ready\n")
        os.close(int(number))
