"""Whatever is killed: what somebody was told is so, nothing is done twice, and every message arrives."""

import os

import pytest

from tests.faults.breaking import break_it


@pytest.mark.alone
@pytest.mark.abuse(70, 75)
def test_what_people_were_told_outlives_whatever_is_killed() -> None:
    result = break_it("PostgreSQL" if os.environ.get("DATABASE_URL") else "SQLite", seconds=1, pause=1.5)
    assert result.problems == []
    assert len(result.faults) >= 6, result
    assert result.acknowledged > 20, result
