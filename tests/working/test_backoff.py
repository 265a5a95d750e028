"""How long something that has failed is left alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domcore import WorkSettings
from domcore.working.backoff import wait

SECOND = 1_000_000


@given(st.integers(0, 2**63), st.text(max_size=20), st.integers(1, 10_000))
def test_it_is_never_longer_than_allowed_nor_shorter_than_a_second(seed, key, attempts):
    found = wait(WorkSettings(), seed, key, attempts)
    assert SECOND <= found <= min(3600, 30 * 2 ** min(attempts - 1, 20)) * SECOND
    assert found == wait(WorkSettings(), seed, key, attempts)


def test_pieces_that_failed_together_come_back_apart():
    waits = {wait(WorkSettings(), 0, f"outbox/{number}", 6) for number in range(100)}
    assert len(waits) > 95
    assert max(waits) - min(waits) > 600 * SECOND


@pytest.mark.parametrize(
    "asked", [None, 0, -5, math.nan, math.inf, "900", b"", True, [], object(), 10**30]
)
def test_a_strange_wish_for_patience_harms_nobody(asked):
    assert SECOND <= wait(WorkSettings(), 0, "k", 1, asked) <= 3600 * SECOND


def test_a_wish_for_patience_is_respected():
    assert wait(WorkSettings(), 0, "k", 1, 1200.5) >= 1200 * SECOND
