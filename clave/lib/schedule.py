"""Periodic tasks: each app registers its own in its `tasks` module."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils.module_loading import autodiscover_modules

Task = TypeVar("Task")
_ENTRIES: list[tuple[int, Any]] = []


def every(seconds: int) -> Callable[[Task], Task]:
    """Return a decorator that schedules a task every `seconds` seconds."""

    def register(task: Task) -> Task:
        _ENTRIES.append((seconds, task))
        return task

    return register


def scheduled_tasks() -> list[tuple[int, Any]]:
    """Return (seconds, task) for every installed app."""
    autodiscover_modules("tasks")
    return list(_ENTRIES)
