from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

STEPS = (
    "capture", "capture", "capture", "amend", "cancel", "route", "route", "route_one", "reserve",
    "hold", "hold", "lift", "unpaid", "unpaid", "approve_one", "differ", "differ", "cart", "keep",
    "free",
    "approve", "wait", "count", "delta", "hand_over", "notice", "notice", "give_back",
    "early", "early", "receive", "erase", "load",
)  # fmt: skip
LIVES = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 6), st.integers(0, 7), st.integers(0, 9)),
    min_size=5,
    max_size=50,
)


def complaints(shop: Any) -> list[str]:
    return [str(violation) for violation in shop.dom.verify()]


def test_a_store_nobody_has_used_is_clean(shops: Callable[[str], Any]) -> None:
    assert complaints(shops("memory")) == complaints(shops("sqlite")) == []


def test_a_busy_store_is_clean(busy: Any) -> None:
    assert complaints(busy) == []
    assert busy.dom.store.stock_cursor() > 20


@pytest.mark.parametrize(("kind", "lives"), [("memory", 150), ("sqlite", 25)])
def test_nothing_is_invented_in_any_legal_history(
    kind: str, lives: int, shops: Callable[[str], Any]
) -> None:
    @settings(
        max_examples=lives,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(LIVES)
    def every(steps: list[tuple[str, int, int, int]]) -> None:
        shop = shops(kind)
        shop.live(steps)
        found = complaints(shop)
        shop.dom.close()
        assert found == []

    every()
