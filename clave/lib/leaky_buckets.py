"""In-memory leaky buckets: rate limits for anonymous clients that need no database access."""

from clave.lib import clock

_MAX_KEYS = 20_000


class LeakyBuckets:
    """One bucket per key, holding `capacity` and leaking `per_second`."""

    def __init__(self, capacity: float, per_second: float) -> None:
        self._capacity, self._per_second = capacity, per_second
        self._levels: dict[str, tuple[float, float]] = {}

    def add(self, key: str) -> bool:
        """Add one to this key's bucket. Return False, and add nothing, if the bucket is full."""
        now = clock.now().timestamp()
        if len(self._levels) >= _MAX_KEYS:
            self._levels = {other: entry for other, entry in self._levels.items() if self._level(entry, now) > 0}
        if len(self._levels) >= _MAX_KEYS:  # a flood of distinct keys: evict the least recently used
            self._levels.pop(next(iter(self._levels)), None)
        level = self._level(self._levels.pop(key, (0.0, now)), now)
        full = level + 1 > self._capacity
        self._levels[key] = (level if full else level + 1, now)
        return not full

    def _level(self, entry: tuple[float, float], now: float) -> float:
        level, at = entry
        return max(0.0, level - max(0.0, now - at) * self._per_second)
