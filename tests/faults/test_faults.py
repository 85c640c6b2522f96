"""Whatever is killed: what somebody was told is so, nothing is done twice, and every message arrives."""

import pytest

from tests.faults.breaking import break_it


@pytest.mark.alone
@pytest.mark.abuse(70, 75)
def test_what_people_were_told_outlives_whatever_is_killed() -> None:
    store = "PostgreSQL" if on_postgresql() else "SQLite"
    result = break_it(store, seconds=14, pause=1.0)
    assert result.problems == []
    assert result.faults["web process killed"] and result.faults["worker killed"], result
    assert result.acknowledged > 20, result


def on_postgresql() -> bool:
    import os

    return bool(os.environ.get("DATABASE_URL"))
