"""What is done at intervals: each app registers its own tasks, in its module `tasks`."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils.module_loading import autodiscover_modules

Task = TypeVar("Task")
_ENTRIES: list[tuple[int, Any]] = []


def every(seconds: int) -> Callable[[Task], Task]:
    """Return a decorator that puts a task in every so many seconds."""

    def enter(task: Task) -> Task:
        _ENTRIES.append((seconds, task))
        return task

    return enter


def scheduled_tasks() -> list[tuple[int, Any]]:
    """Return (seconds, task) of every installed app."""
    autodiscover_modules("tasks")
    return list(_ENTRIES)
