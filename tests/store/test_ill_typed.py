"""Commands that a stranger has built: a field may hold anything, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields

from domcore.errors import DomcoreError, PayloadError
from domcore.model import (
    AmendOrder,
    AuthorizeReturn,
    CancelOrder,
    Notice,
    ObserveStock,
    Package,
    ReceiveReturn,
    StockCount,
)
from domcore.store import open_store
from domcore.store.rows import TABLES
from domcore.testing.store_suite.kit import NOW, START, StoreKit, order_of
from domcore.verify import verify


class Nowhere(tzinfo):
    """A zone that does not say how far it is from UTC."""

    def utcoffset(self, at: datetime | None) -> None:
        return None


class Broken(tzinfo):
    """A zone that cannot be asked."""

    def utcoffset(self, at: datetime | None) -> timedelta:
        raise RuntimeError("no zone")


FIRST = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
LAST = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=14)))
STRANGE: tuple[Any, ...] = (
    None, 5, -1, 2**70, 1.5, float("nan"), True, b"x", "", "\ud800", "a\0b", "x" * 100_000,
    [], {}, (), object(), FIRST, LAST, datetime(2026, 1, 1), datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=Nowhere()),
    (("L-bolt", True),), (("L-bolt", 2.0),), (("L-bolt",),), (("L-bolt", 1, 2, 3),), ((1, 1),),
    (("\ud800", 1),), (("L-bolt", float("nan")),), (("L-bolt", 10**30),), "L-bolt",
    [["L-bolt", 1]], (None,), (([], 1),), (("L-bolt", 1, []),), (b"L-bolt", 1),
)  # fmt: skip
WORK = "1-1-east"
BOX = Package("box", (("L-bolt", 1),), shipped_at=START)
COUNT = StockCount("bolt", "east", on_hand=50)
COMMANDS: tuple[tuple[str, Any], ...] = (
    ("record", Notice(WORK, "shipped", START, (("L-bolt", 1),), key="k")),
    ("record", Notice(WORK, "shipped", START, (), (BOX,), key="k")),
    ("amend", AmendOrder("main", "web", "1", "edit", 5, (("L-bolt", 1),), key="k")),
    ("cancel", CancelOrder("main", "web", "77", 5, key="k")),
    (
        "authorize_return",
        AuthorizeReturn("main", "web", "1", "back", (("L-bolt", 1),), "east", key="k"),
    ),
    (
        "receive_return",
        ReceiveReturn("main", "web", "1", "first", (("L-bolt", 1, "sellable"),), at=START, key="k"),
    ),
    ("observe_stock", ObserveStock("main", (COUNT,), "k", "web")),
    ("observe_stock", ObserveStock("main", (COUNT,))),
)


@pytest.fixture(params=["sqlite", "memory"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreKit]:
    """A store with an order some of which has left, and a return of it."""
    store = open_store("memory:" if request.param == "memory" else tmp_path / "store.db")
    kit = StoreKit(store)
    kit.count("bolt", "east", 100)
    kit.route(kit.take_in(order_of(bolt=10)), "east")
    kit.hear(WORK, "shipped", ("L-bolt", 4))
    command = AuthorizeReturn("main", "web", "1", "first", (("L-bolt", 1),), "east")
    store.authorize_return(command, now=NOW)
    yield kit
    broken = [each for each in verify(store) if each.invariant not in ("decision", "format")]
    store.close()
    assert broken == []


def strange(command: Any) -> Iterator[Any]:
    """The command with each of its fields, in turn, of another type."""
    for field in fields(type(command)):
        for value in STRANGE:
            yield evolve(command, **{field.name: value})
    if isinstance(command, Notice) and command.packages:
        yield from (evolve(command, packages=(box,)) for box in strange(BOX))
    if isinstance(command, ObserveStock):
        yield from (evolve(command, counts=(count,)) for count in strange(COUNT))


@pytest.mark.parametrize(("verb", "command"), COMMANDS)
def test_a_field_of_any_type_is_taken_in_or_refused_in_words(
    kit: StoreKit, verb: str, command: Any
) -> None:
    for number, each in enumerate(strange(command)):
        told = evolve(each, key=f"{number}") if each.key == "k" else each
        answer = ""
        try:
            getattr(kit.store, verb)(told, now=NOW + 10)
        except DomcoreError as error:
            answer = str(error)
        assert verb != "record" or len(answer) < 1000
    for table in TABLES:
        list(kit.store.audit(table))


@pytest.mark.parametrize(
    ("at", "word"),
    [
        (FIRST, "beyond the years"),
        (LAST, "beyond the years"),
        (datetime(2026, 1, 1), "time zone"),
        (datetime(2026, 1, 1, tzinfo=Nowhere()), "time zone"),
        (datetime(2026, 1, 1, tzinfo=Broken()), "not of its type"),
        ("2026-01-01T00:00:00Z", "not of its type"),
    ],
)
def test_a_time_that_is_none_is_named(kit: StoreKit, at: Any, word: str) -> None:
    for verb, command in COMMANDS[:2] + COMMANDS[5:6]:
        before = {table: list(kit.store.audit(table)) for table in TABLES}
        with pytest.raises(PayloadError, match=word):
            getattr(kit.store, verb)(evolve(command, at=at), now=NOW + 10)
        assert before == {table: list(kit.store.audit(table)) for table in TABLES}


def test_a_return_that_is_closed_by_a_clock_that_went_back_is_whole(kit: StoreKit) -> None:
    command = ReceiveReturn("main", "web", "1", "first", (), close=True)
    assert kit.store.receive_return(command, now=NOW - 5).detail.startswith("closed")
