"""Periodic tasks: each app registers its own in its `tasks` module."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from django.utils.module_loading import autodiscover_modules


class PeriodicTask(Protocol):
    """What the worker needs of a task of `django_tasks`."""

    @property
    def module_path(self) -> str: ...

    def enqueue(self) -> object: ...


Task = TypeVar("Task", bound=PeriodicTask)
_ENTRIES: list[tuple[int, PeriodicTask]] = []


def every(seconds: int) -> Callable[[Task], Task]:
    """Return a decorator that schedules a task every `seconds` seconds."""

    def register(task: Task) -> Task:
        _ENTRIES.append((seconds, task))
        return task

    return register


def scheduled_tasks() -> list[tuple[int, PeriodicTask]]:
    """Return (seconds, task) for every installed app."""
    autodiscover_modules("tasks")
    return list(_ENTRIES)
