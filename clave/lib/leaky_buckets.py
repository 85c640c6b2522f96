"""Counts that fall as time passes, in memory: a bound on what strangers cause, at no cost to the store."""

from clave.lib import clock

_MOST_KEYS = 20_000


class LeakyBuckets:
    """For each key a bucket that holds `capacity` and loses `per_second`."""

    def __init__(self, capacity: float, per_second: float) -> None:
        self._capacity, self._per_second = capacity, per_second
        self._levels: dict[str, tuple[float, float]] = {}

    def add(self, key: str) -> bool:
        """Count one more for this key. False if its bucket is full: then nothing is counted."""
        now = clock.now().timestamp()
        if len(self._levels) >= _MOST_KEYS:
            self._levels = {each: found for each, found in self._levels.items() if self._level(found, now) > 0}
        if len(self._levels) >= _MOST_KEYS:  # strangers from everywhere: the oldest makes room
            self._levels.pop(next(iter(self._levels)), None)
        level = self._level(self._levels.pop(key, (0.0, now)), now)
        full = level + 1 > self._capacity
        self._levels[key] = (level if full else level + 1, now)
        return not full

    def _level(self, found: tuple[float, float], now: float) -> float:
        level, at = found
        return max(0.0, level - max(0.0, now - at) * self._per_second)
