"""Returns that come before what they need: the same end in whatever order the news comes."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domcore.errors import ConflictError
from domcore.model import AuthorizeReturn, Notice, ReceiveReturn
from domcore.store import open_store
from domcore.testing.store_suite.kit import MINUTE, NOW, START, StoreKit, order_of
from domcore.testing.store_suite.stock import assert_conserved
from domcore.verify import verify

UNRECORDED = ("decision", "format")
LINE = "L-bolt"
UNITS = 4


class Life:
    """One order of bolts, that leave in three parcels, and of which two refunds come back; told in
    an order of its own."""

    def __init__(self, url: str | Path) -> None:
        self.kit = StoreKit(open_store(url))
        self.kit.count("bolt", "east", 9)
        self.minutes = 0
        self.order_id = 0

    def live(self, words: list[str]) -> tuple[object, ...]:
        waits = []
        for word in words:
            self.minutes += 1
            if word.startswith("ship") and not self.order_id:
                waits.append(word)
                continue
            getattr(self, word)()
            if word == "order":
                for late in waits:
                    getattr(self, late)()
        assert_conserved(self.kit.store)
        found = [str(each) for each in verify(self.kit.store) if each.invariant not in UNRECORDED]
        assert found == []
        returns = sorted(
            (each.return_id, each.node, each.status, each.lines)
            for each in self.kit.store.returns(self.order_id)
        )
        shelves = [self.kit.shelf("bolt", node) for node in ("east", "west")]
        return returns, shelves, self.kit.lines(self.order_id)

    @property
    def now(self) -> int:
        return NOW + self.minutes * MINUTE

    def order(self) -> None:
        self.order_id = self.kit.take_in(order_of(bolt=UNITS))
        self.kit.route(self.order_id, "east")

    def ship_one(self) -> None:
        self._ship("one", 1)

    def ship_two(self) -> None:
        self._ship("two", 2)

    def _ship(self, key: str, units: int) -> None:
        name = f"{self.order_id}-1-east"
        notice = Notice(name, "partially_shipped", START, ((LINE, units),), key=key)
        self.kit.store.record(notice, now=self.now)

    def ship_last(self) -> None:
        self._ship("last", 1)

    def authorize_small(self) -> None:
        self._authorize("small", 1)

    def authorize_large(self) -> None:
        self._authorize("large", 3)

    def receive_small(self) -> None:
        self._receive("small", 1, "sellable", close=True)

    def receive_large(self) -> None:
        self._receive("large", 2, "damaged", close=True)

    def _authorize(self, name: str, units: int) -> None:
        asked = AuthorizeReturn("main", "web", "1", name, ((LINE, units),), "west")
        self.kit.store.authorize_return(asked, now=self.now, keep=True)

    def _receive(self, name: str, units: int, condition: str, *, close: bool) -> None:
        lines = ((LINE, units, condition),)
        came = ReceiveReturn("main", "web", "1", name, lines, at=START, close=close, key=name)
        self.kit.store.receive_return(came, now=self.now, keep=True)


WORDS = (
    "order", "ship_one", "ship_two", "ship_last",
    "authorize_small", "authorize_large", "receive_small", "receive_large",
)  # fmt: skip


@pytest.mark.parametrize("engine", ["memory", "sqlite"])
@given(words=st.permutations(WORDS), again=st.lists(st.sampled_from(WORDS[4:]), max_size=4))
@settings(max_examples=40, deadline=None)
def test_refunds_and_parcels_end_the_same_in_whatever_order(
    engine: str, words: list[str], again: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ends = []
        for number, life in enumerate((list(WORDS), [*words, *again])):
            url = f"{folder}/{number}.db" if engine == "sqlite" else "memory:"
            told = Life(url)
            ends.append(told.live(life))
            told.kit.store.close()
    assert ends[0] == ends[1]
    returns, _, lines = ends[0]
    assert [each[2] for each in returns] == ["closed", "received"]
    assert lines == [(0, 0, UNITS, 0)]


def test_what_waits_under_a_name_bars_other_content_until_it_is_given_up(tmp_path: Path) -> None:
    life = Life(tmp_path / "store.db")
    life.order()
    store = life.kit.store
    life.authorize_small()
    other = AuthorizeReturn("main", "web", "1", "small", ((LINE, 2),), "west")
    with pytest.raises(ConflictError, match="domcore drop return/1"):
        store.authorize_return(other, now=NOW, keep=True)
    store.give_up("return/1", now=NOW)
    assert store.authorize_return(other, now=NOW, keep=True).outcome == "kept"
    life.ship_two()
    assert [line.units for each in store.returns(life.order_id) for line in each.lines] == [2]
    store.close()


def test_who_caused_it_is_told_when_it_is_carried_out(tmp_path: Path) -> None:
    life = Life(tmp_path / "store.db")
    life.order()
    asked = AuthorizeReturn("main", "web", "1", "R", ((LINE, 1),), "west", by="channel:web")
    life.kit.store.authorize_return(asked, now=NOW, keep=True)
    life.ship_one()
    told = {event.kind: event.by for event in life.kit.store.events(order_id=life.order_id)}
    assert told["return.authorized"] == "channel:web"
    life.kit.store.close()


def test_what_is_kept_outlives_its_process(tmp_path: Path) -> None:
    life = Life(tmp_path / "store.db")
    life.order()
    life.authorize_small()
    life.receive_small()
    life.kit.store.close()
    life.kit.store = open_store(tmp_path / "store.db")
    life.ship_one()
    assert [each.status for each in life.kit.store.returns(life.order_id)] == ["received"]
    life.kit.store.close()


def test_verify_finds_what_waits_though_its_goods_have_left(tmp_path: Path) -> None:
    life = Life(tmp_path / "store.db")
    life.order()
    life.authorize_small()
    life.kit.store.give_up("return/1", now=NOW)
    life.ship_one()
    with closing(sqlite3.connect(tmp_path / "store.db")) as raw, raw:
        raw.execute("UPDATE kept_return SET settled = '', settled_at = NULL")
    found = {each.invariant: each.message for each in verify(life.kit.store)}
    assert "its units have left and may come back" in found["I9"]
    life.kit.store.close()
