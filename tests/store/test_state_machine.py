"""Both stores, side by side, against a model in plain dictionaries.

The model keeps what a person would write on paper: what is on the shelves by the last count and
what has left since, what each order wants, who has taken what from where. After every step the
stores must agree with it, and, row for row, with each other.
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domcore.errors import StaleSupply
from domcore.model import AmendOrder, CancelOrder, Notice
from domcore.store import open_store
from domcore.store.rows import TABLES
from domcore.testing.store_suite.kit import NOW, START, StoreKit, order_of
from domcore.verify import verify

SKUS = ("bolt", "nut")
PLACES = ("east", "west")
UNITS = st.integers(0, 6)
UNRECORDED = ("decision", "format")
"""What `verify` says of decisions that were made by hand."""


@define
class Taken:
    """Units that a decision took for one line."""

    sequence: int
    sku: str
    node: str
    units: int
    purpose: str = "route"


@define
class Paper:
    """One order on paper."""

    order_id: int
    whole: dict[str, int]
    revision: int = 1
    amendments: list[tuple[int, str, int]] = field(factory=list)
    sequence: int = 0
    cancelled: bool = False
    shipped: dict[str, int] = field(factory=dict)
    taken: list[Taken] = field(factory=list)
    handed_over: set[tuple[int, str]] = field(factory=set)

    @property
    def wanted(self) -> dict[str, int]:
        """The last whole revision, less what has been taken off later."""
        left = dict(self.whole)
        for revision, sku, units in self.amendments:
            if revision > self.revision:
                left[sku] = max(0, left[sku] - units)
        return left

    def give_back(self) -> None:
        """Free what is not wanted any more."""
        for sku, units in self.wanted.items():
            excess = self.allocated(sku) + self.shipped.get(sku, 0) - units
            if excess > 0:
                self.free(sku, None, excess)

    def allocated(self, sku: str) -> int:
        return sum(one.units for one in self.taken if one.sku == sku)

    def open(self, sku: str) -> int:
        if self.cancelled:
            return 0
        return max(0, self.wanted[sku] - self.allocated(sku) - self.shipped.get(sku, 0))

    @property
    def routed(self) -> list[Taken]:
        return [one for one in self.taken if one.purpose == "route"]

    def youngest(self) -> list[Taken]:
        place = list(self.wanted)
        return sorted(self.taken, key=lambda one: (-one.sequence, -place.index(one.sku)))

    def free(self, sku: str | None, node: str | None, most: int) -> int:
        """Give back what is not handed over, youngest first."""
        freed = 0
        for one in self.youngest():
            if sku not in (None, one.sku) or node not in (None, one.node):
                continue
            if (one.sequence, one.node) not in self.handed_over:
                units = min(one.units, most - freed)
                one.units -= units
                freed += units
        self.taken = [one for one in self.taken if one.units]
        return freed


class Stores(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "store.db"
        self.kits = [StoreKit(open_store(path)), StoreKit(open_store("memory:"))]
        self.there = {(sku, node): 0 for sku in SKUS for node in PLACES}
        self.papers: list[Paper] = []
        self.blocked = {(sku, node): 0 for sku in SKUS for node in PLACES}
        self.minutes = 0
        self.told = 0

    def teardown(self) -> None:
        for kit in self.kits:
            broken = [each for each in verify(kit.store) if each.invariant not in UNRECORDED]
            kit.store.close()
            assert not broken
        self.folder.cleanup()

    def both(self, do: Any) -> Any:
        """Do the same in both stores; they must answer the same, or fail the same."""
        answers: list[Any] = []
        for kit in self.kits:
            try:
                answers.append(do(kit))
            except StaleSupply as error:
                answers.append((StaleSupply, error.keys))
        assert answers[0] == answers[1]
        return answers[0]

    def reserved(self, sku: str, node: str) -> int:
        return sum(
            one.units
            for paper in self.papers
            for one in paper.taken
            if (one.sku, one.node) == (sku, node)
        )

    def shelf(self, sku: str, node: str) -> tuple[int, int, int]:
        """What the books say: never less on hand than is promised."""
        there, reserved = self.there[sku, node], self.reserved(sku, node)
        on_hand = max(there, reserved)
        return on_hand, reserved, min(self.blocked[sku, node], on_hand - reserved)

    def paper(self, which: int) -> Paper:
        return self.papers[which % len(self.papers)]

    # --- what happens ---------------------------------------------------------------------------

    @rule(sku=st.sampled_from(SKUS), node=st.sampled_from(PLACES), units=st.integers(0, 15))
    def count(self, sku: str, node: str, units: int) -> None:
        self.minutes += 1
        self.both(lambda kit: kit.count(sku, node, units, minutes=self.minutes))
        missing = self.reserved(sku, node) - units
        for paper in reversed(self.papers):
            if missing > 0:
                missing -= paper.free(sku, node, missing)
        self.there[sku, node] = units
        self.blocked[sku, node] = 0

    @rule(bolt=UNITS, nut=UNITS)
    def capture(self, bolt: int, nut: int) -> None:
        name = str(len(self.papers))
        order_id = self.both(lambda kit: kit.take_in(order_of(name, bolt=bolt, nut=nut)))
        self.papers.append(Paper(order_id, {"bolt": bolt, "nut": nut}))

    @precondition(lambda self: self.papers)
    @rule(which=st.integers(0, 99), bolt=UNITS, nut=UNITS)
    def amend(self, which: int, bolt: int, nut: int) -> None:
        paper = self.paper(which)
        name = str(self.papers.index(paper))
        paper.revision += 1
        order = order_of(name, paper.revision, bolt=bolt, nut=nut)
        self.both(lambda kit: kit.take_in(order))
        paper.whole = {"bolt": bolt, "nut": nut}
        paper.give_back()

    @precondition(lambda self: self.papers)
    @rule(which=st.integers(0, 99), sku=st.sampled_from(SKUS), units=UNITS, later=st.integers(0, 3))
    def take_off(self, which: int, sku: str, units: int, later: int) -> None:
        paper = self.paper(which)
        name, revision = str(self.papers.index(paper)), paper.revision + later
        lines = ((f"L-{sku}", units),)
        told = f"edit-{len(paper.amendments)}"
        command = AmendOrder("main", "web", name, told, revision, lines)
        self.both(lambda kit: kit.store.amend(command, now=NOW).outcome)
        before = paper.wanted
        paper.amendments.append((revision, sku, units))
        if paper.wanted != before:
            paper.give_back()

    @precondition(lambda self: self.papers)
    @rule(which=st.integers(0, 99))
    def keep(self, which: int) -> None:
        paper = self.paper(which)
        kept = [one for one in paper.taken if one.purpose == "reserve"]
        units = sum(one.units for one in kept)
        answer = self.both(lambda kit: kit.store.keep(paper.order_id, now=NOW - 1))
        assert answer.outcome == ("kept" if units else "nothing")
        for one in kept:
            one.purpose = "route"

    @precondition(lambda self: self.papers)
    @rule(which=st.integers(0, 99))
    def let_go(self, which: int) -> None:
        paper = self.paper(which)
        held = any(one.purpose == "reserve" for one in paper.taken)
        answer = self.both(lambda kit: kit.store.free(paper.order_id, now=NOW))
        assert answer.outcome == ("freed" if held else "nothing")
        paper.taken = paper.routed

    @precondition(lambda self: self.papers)
    @rule(which=st.integers(0, 99))
    def cancel(self, which: int) -> None:
        paper = self.paper(which)
        name = str(self.papers.index(paper))
        command = CancelOrder("main", "web", name, paper.revision)
        self.both(lambda kit: kit.store.cancel(command, now=NOW))
        if not paper.cancelled:
            paper.cancelled = True
            paper.free(None, None, 10**9)

    @precondition(lambda self: self.papers)
    @rule(
        which=st.integers(0, 99),
        node=st.sampled_from(PLACES),
        floor=st.integers(0, 2),
        purpose=st.sampled_from(["route", "route", "reserve"]),
    )
    def decide(self, which: int, node: str, floor: int, purpose: str) -> None:
        paper = self.paper(which)
        wanted = {sku: paper.open(sku) for sku in paper.wanted if paper.open(sku)}
        if not wanted:
            return
        short = []
        for sku, units in wanted.items():
            on_hand, reserved, blocked = self.shelf(sku, node)
            if on_hand - reserved - blocked < units + floor:
                short.append(sku)
        expiry = {"purpose": purpose, "expires_at": NOW if purpose == "reserve" else None}
        answer = self.both(lambda kit: kit.route(paper.order_id, node, floor=floor, **expiry))
        if short:
            kit = self.kits[0]
            assert answer == (
                StaleSupply,
                tuple(sorted((kit.item[sku], kit.node[node]) for sku in short)),
            )
            return
        assert answer is None
        paper.sequence += 1
        for sku, units in wanted.items():
            paper.taken.append(Taken(paper.sequence, sku, node, units, purpose))

    @rule()
    def expire(self) -> None:
        over = sum(1 for paper in self.papers for one in paper.taken if one.purpose == "reserve")
        assert self.both(lambda kit: kit.store.expire(now=NOW, limit=1000)) == over
        for paper in self.papers:
            paper.taken = [one for one in paper.taken if one.purpose == "route"]

    @rule()
    def hand_over(self) -> None:
        keys = self.both(lambda kit: kit.hand_over())
        for paper in self.papers:
            for one in paper.taken:
                if f"{paper.order_id}-{one.sequence}-{one.node}" in keys:
                    paper.handed_over.add((one.sequence, one.node))

    @precondition(lambda self: any(paper.routed for paper in self.papers))
    @rule(
        which=st.integers(0, 99),
        status=st.sampled_from(["shipped", "rejected", "cancelled", "in_progress", "delivered"]),
        reason=st.sampled_from(["not_found", "closed"]),
        units=st.integers(0, 3),
        again=st.booleans(),
    )
    def answer(self, which: int, status: str, reason: str, units: int, again: bool) -> None:
        """A node speaks: of all that is left, or of some units of one line (`units`)."""
        busy = [paper for paper in self.papers if paper.routed]
        paper = busy[which % len(busy)]
        first = paper.routed[0]
        some = min(units, first.units) if status in ("shipped", "rejected") else 0
        self.told += 1
        notice = Notice(
            f"{paper.order_id}-{first.sequence}-{first.node}",
            status,
            START + timedelta(minutes=self.minutes),
            ((f"L-{first.sku}", some),) if some else (),
            reason=reason if status == "rejected" else "",
            key=f"told {self.told}",
        )
        now = NOW + self.minutes * 60_000_000
        for _ in range(2 if again else 1):
            self.both(lambda kit: kit.store.record(notice, now=now, exclude_until=now))
        paper.handed_over.add((first.sequence, first.node))
        if status == "in_progress":
            return
        for one in list(paper.taken):
            mine = (one.sequence, one.node) == (first.sequence, first.node)
            if mine and (some == 0 or one is first):
                self.settle(paper, one, some or one.units, status, reason)

    def settle(self, paper: Paper, one: Taken, units: int, status: str, reason: str) -> None:
        one.units -= units
        if not one.units:
            paper.taken.remove(one)
        if status in ("shipped", "delivered"):
            paper.shipped[one.sku] = paper.shipped.get(one.sku, 0) + units
            self.there[one.sku, one.node] -= units
        elif status == "rejected" and reason == "not_found":
            self.blocked[one.sku, one.node] += units
        # What is not there cannot be blocked.
        place = (one.sku, one.node)
        self.blocked[place] = min(self.blocked[place], max(0, self.there[place]))

    # --- what must be true ----------------------------------------------------------------------

    @invariant()
    def the_stores_agree_with_the_paper(self) -> None:
        for kit in self.kits:
            for sku, node in self.there:
                assert kit.shelf(sku, node) == self.shelf(sku, node)
            for paper in self.papers:
                found = kit.lines(paper.order_id)
                for sku, (opened, allocated, shipped, _) in zip(SKUS, found, strict=True):
                    assert opened == paper.open(sku)
                    assert allocated == paper.allocated(sku)
                    assert shipped == paper.shipped.get(sku, 0)

    @invariant()
    def the_stores_agree_row_for_row(self) -> None:
        sqlite, memory = self.kits
        for table in TABLES:
            assert list(sqlite.store.audit(table)) == list(memory.store.audit(table)), table

    @invariant()
    def the_ledger_adds_up_to_the_balances(self) -> None:
        store = self.kits[1].store
        sums: dict[tuple[int, int], list[int]] = {}
        for row in store.audit("ledger"):
            total = sums.setdefault(row[1:3], [0, 0, 0, 0])
            for place in range(4):
                total[place] += row[3 + place]
        for row in store.audit("stock"):
            assert list(row[2:6]) == sums.get(row[:2], [0, 0, 0, 0])


Stores.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestStores = Stores.TestCase


@pytest.mark.long
def test_many_more_steps() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Stores, settings=settings(max_examples=300, stateful_step_count=50, deadline=None)
    )
