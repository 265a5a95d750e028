"""Anything at all, done to both stores: they answer alike, hold the same rows, and verify is clean.

Nothing here says what the right answer is; `test_state_machine` does, for fewer verbs. Commands are
drawn at random, sensible or not, with clocks that stand still and step back.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from attrs import evolve

from domcore.errors import DomcoreError
from domcore.model import (
    CONDITIONS,
    FULFILLMENT_STATUSES,
    ORDER_STATUSES,
    Alias,
    AmendOrder,
    AuthorizeReturn,
    CancelOrder,
    CaptureOrder,
    Destination,
    Hold,
    Network,
    Node,
    Notice,
    ObserveStock,
    Order,
    OrderLine,
    Package,
    Point,
    ReceiveReturn,
    StockCount,
)
from domcore.store import open_store
from domcore.store.protocol import Commit, Draw
from domcore.store.rows import NEVER, TABLES
from domcore.store.values import CoverNote, Lease, OrderFilter, Publication, Straggler, Task, Told
from domcore.testing.store_suite.kit import MINUTE, NODES, NOW, START, StoreKit
from domcore.verify import verify

SKUS: Final = ("bolt", "nut", "saw")
LINES: Final = ("a", "b", "bolt")
"""Line ids; one of them is a SKU as well."""
KINDS: Final = ("held", "short", "unknown", "rejected", "stuck", "late")
MADE_BY_HAND: Final = ("decision", "format")
EDGES: Final = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 5, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)


class Pair:
    """Two stores of which everything is asked twice."""

    def __init__(self, seed: int, path: Path) -> None:
        self.random: Final = Random(seed)
        self.kits: Final = [StoreKit(open_store(path)), StoreKit(open_store("memory:"))]
        self.now = NOW
        self.told = 0
        self.revisions: dict[str, int] = {}
        self.orders: list[tuple[int, str]] = []
        self.work: list[str] = []
        self.notices: list[Notice] = []
        self.leases: list[Lease] = []
        self.tasks: list[Task] = []
        self.returns: list[AuthorizeReturn] = []
        for sku in SKUS:
            for node in NODES:
                units = self.choice(5, 20, 50)
                for kit in self.kits:
                    kit.count(sku, node, units)

    # --- chance ----------------------------------------------------------------------------------

    def choice(self, *values: Any) -> Any:
        return self.random.choice(values)

    def units(self, most: int = 4) -> int:
        return self.random.randint(1, most)

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def later(self) -> int:
        """The time, which may stand still or step back."""
        step = self.choice(0, 0, 0, 1, MINUTE, MINUTE, 10 * MINUTE, -5 * MINUTE)
        self.now = max(NOW, self.now + step)
        return self.now

    def when(self) -> datetime:
        step = self.choice(0, 0, 0, MINUTE, -MINUTE, -10 * MINUTE)
        return START + timedelta(microseconds=self.now - NOW + step)

    def order(self) -> tuple[int, str]:
        return self.choice(*self.orders, (0, str(self.random.randint(0, 7))))

    # --- both ------------------------------------------------------------------------------------

    def both(self, do: Callable[[StoreKit], Any]) -> Any:
        """What both stores answer; an error is an answer, too."""
        answers: list[Any] = []
        for kit in self.kits:
            try:
                answers.append(do(kit))
            except DomcoreError as error:
                answers.append((type(error).__name__, str(error)))
        assert answers[0] == answers[1]
        return answers[0]

    def ask(self, verb: str, *given: Any, **named: Any) -> Any:
        return self.both(lambda kit: getattr(kit.store, verb)(*given, **named))

    def step(self) -> None:
        verbs = (
            *(self.decide,) * 8, *(self.record,) * 9, *(self.capture,) * 3, *(self.amend,) * 2,
            *(self.cart,) * 6, *(self.count,) * 2, *(self.lease,) * 3, *(self.answer,) * 3,
            *(self.come_back,) * 4, self.cancel, self.expire, self.approve, self.set_aside,
            self.do_again, self.follow, self.sell, self.cover, self.configure, self.look,
        )  # fmt: skip
        self.choice(*verbs)()
        sqlite, memory = (kit.store for kit in self.kits)
        for table in TABLES:
            assert list(sqlite.audit(table)) == list(memory.audit(table)), table

    def finish(self) -> None:
        for kit in self.kits:
            broken = [each for each in verify(kit.store) if each.invariant not in MADE_BY_HAND]
            kit.store.close()
            assert broken == []

    # --- orders ----------------------------------------------------------------------------------

    def capture(self) -> None:
        _, name = self.order()
        revision = self.revisions.get(name, 0) + self.choice(0, 1, 1, 1)
        skus = (*SKUS, "alias", "nowhere") if self.maybe(0.1) else SKUS
        lines = tuple(
            OrderLine(line, self.choice(*skus), self.random.randint(0, 6), ships=self.maybe(0.9))
            for line in self.random.sample(LINES, self.random.randint(0, 3))
        )
        known = [order_id for order_id, each in self.orders if each == name]
        if known and self.maybe(0.7):
            kept = self.kits[1].store.order(known[0]).order.lines
            lines = tuple(evolve(line, quantity=self.random.randint(0, 7)) for line in kept)
        order = Order(
            "main", "web", name, revision, START, "EUR", lines,
            Destination("DE", postal=self.choice("10", "10", "10", "20")),
            ship_by=self.choice(None, None, self.when(), *EDGES),
            deliver_by=self.choice(None, None, self.when()),
        )  # fmt: skip
        key = self.choice("", f"{name}-{revision}")
        command = CaptureOrder(order, key=key, queue=self.maybe(0.7))
        found = self.ask("capture", [command], now=self.later())
        if isinstance(found, list):
            self.revisions[name] = revision
            if (found[0].order_id, name) not in self.orders:
                self.orders.append((found[0].order_id, name))

    def amend(self) -> None:
        _, name = self.order()
        revision = max(0, self.revisions.get(name, 0) + self.choice(-1, 0, 0, 1, 3))
        lines = tuple(
            (self.choice(*LINES), self.random.randint(0, 3)) for _ in range(self.units(2))
        )
        command = AmendOrder("main", "web", name, f"edit {self.units(40)}", revision, lines)
        self.ask("amend", command, now=self.later())

    def cancel(self) -> None:
        _, name = self.order()
        if self.maybe(0.6):
            return
        command = CancelOrder("main", "web", name, self.revisions.get(name, 1))
        self.ask("cancel", command, now=self.later())

    def approve(self) -> None:
        self.ask("approve", self.order()[0], by="me", now=self.later())

    def expire(self) -> None:
        self.ask("expire", now=self.later(), limit=self.choice(1, 100))

    def cart(self) -> None:
        order_id, now = self.order()[0], self.later()
        verb = self.choice(*("reserve",) * 6, "keep", "keep", "keep", "free", "extend")
        if verb == "reserve":
            self.decide(expires_at=now + self.choice(0, 1, 5 * MINUTE, 60 * MINUTE))
        elif verb == "extend":
            self.ask("extend", order_id, expires_at=now + self.choice(0, MINUTE, -1), now=now)
        elif self.ask(verb, order_id, now=now)[0] == "kept":
            view = self.kits[1].store.order(order_id)
            self.work += [each.id for each in view.fulfillment_orders]

    def decide(self, expires_at: int | None = None) -> None:
        order_id, now = self.order()[0], self.later()
        kit = self.kits[1]
        found = kit.store.open_orders(now=now, limit=1, order_ids=[order_id])
        if not found:
            return
        (order,) = found
        draws = []
        for line, left in enumerate(order.open):
            for node in self.random.sample(NODES, self.random.randint(0, 3)):
                units = self.random.randint(0, left)
                left -= units
                if units:
                    draw = (line, order.item_ids[line], kit.node[node], units, self.choice(0, 0, 1))
                    draws.append(Draw(*draw))
        holds = tuple(Hold("fraud", "odd", self.choice("route", "release")) for _ in range(1))
        holds = holds if self.maybe(0.1) and "fraud" not in order.approved else ()
        if any(hold.stage == "route" for hold in holds):
            draws = []
        short = sum(order.open) - sum(draw.quantity for draw in draws)
        purpose = "route" if expires_at is None else "reserve"
        sequence = order.sequence + 1
        event = ("order.routed", b'{"decision":%d,"format":1}' % sequence)
        commit = Commit(
            order_id, order.version + self.maybe(0.03), sequence, now, b'{"format":1}',
            tuple(draws), holds,
            tuple({draw.node_id for draw in draws if self.maybe(0.85)}), purpose, expires_at,
            self.choice(None, now, now + MINUTE) if short else None, "short" if short else "",
            order.reason, event,
        )  # fmt: skip
        if self.ask("commit", [commit]) is None and purpose == "route":
            codes = {node_id: code for code, node_id in kit.node.items()}
            places = sorted({codes[draw.node_id] for draw in draws})
            self.work += [f"{order_id}-{sequence}-{code}" for code in places]

    # --- goods -----------------------------------------------------------------------------------

    def count(self) -> None:
        sku, node, at = self.choice(*SKUS[:2]), self.choice(*NODES), self.choice(None, self.when())
        blocked = self.choice(None, None, 0, 2)
        if self.maybe(0.6):
            units = self.random.randint(0, 25)
            count = StockCount(sku, node, on_hand=units, as_of=at, blocked=blocked)
        else:
            units = self.random.randint(-10, 10)
            count = StockCount(sku, node, delta=units, as_of=at, blocked=blocked)
        key = self.choice("", f"count {self.units(9)}")
        self.ask("observe_stock", ObserveStock("main", (count,), key), now=self.later())

    def configure(self) -> None:
        if self.maybe(0.5):
            alias = Alias("web", "alias", self.choice(*SKUS))
            self.ask("save_items", "main", [], [alias], now=self.later())
            return
        codes = self.choice(NODES, NODES, NODES[:2])
        connector = self.choice("fake", "gone", "")
        nodes = tuple(Node(code, "dc", Point(0, 0), connector=connector) for code in codes)
        self.ask("save_network", Network(nodes), now=self.later())

    def sell(self) -> None:
        before = self.ask("publication", "web")
        start = self.choice(0, before.cursor)
        until, items = self.ask("sellable_changes", "web", start, limit=10)
        told = []
        for item in items:
            known = {node_id: units for node_id, _, units in item.told}
            for row in item.balances:
                was = known.get(row.node_id) if self.maybe(0.9) else 7
                told.append(Told(row.item_id, row.node_id, was, self.choice(None, row.on_hand)))
        after = self.choice(None, Publication(until, before.basis), Publication(until, 5))
        self.ask("publish", "web", told, before=before, after=after)

    def cover(self) -> None:
        rows = self.ask("cover", since=self.now - self.choice(0, MINUTE, 10**9), limit=100)
        some = [row for row in rows if self.maybe(0.3)]
        notes = [CoverNote(row.key, self.choice("low", "over", "steady"), {}) for row in some]
        self.ask("note_cover", notes, now=self.later())

    # --- work ------------------------------------------------------------------------------------

    def record(self) -> None:
        if not self.work:
            return
        name = self.choice(*self.work[-12:])
        order = self.kits[1].store.order(int(name.partition("-")[0])).order
        names = [line.id for line in order.lines] + [line.sku for line in order.lines]
        status = self.choice(*FULFILLMENT_STATUSES, *("shipped", "rejected", "cancelled") * 4)

        def some() -> tuple[tuple[str, int], ...]:
            if not names or self.maybe(0.4):
                return ()
            return tuple((self.choice(*names), self.units()) for _ in range(self.units(2)))

        boxes = tuple(
            Package(box, some(), status=self.choice("shipped", "delivered", "exception"))
            for box in self.random.sample("xyz", self.units(2) * self.maybe(0.2))
        )
        self.told += 1
        reason = self.choice("", "not_found", "closed") if status == "rejected" else ""
        key = self.choice("", f"news {self.told}")
        notice = Notice(
            name, status, self.when(), some(), boxes, reason, self.choice("", "R1", "R2"), key=key
        )
        self.notices.append(notice)
        self.hear(notice)

    def hear(self, notice: Notice) -> None:
        until = self.choice(None, self.now, self.now + MINUTE)
        self.ask("record", notice, now=self.later(), exclude_until=until)

    def lease(self) -> None:
        now, topic = self.later(), self.choice("release", "release", "cancel")
        until, most = now + self.choice(0, MINUTE, 5 * MINUTE), self.choice(None, 2)
        found = self.ask(
            "lease_due", topic, now=now, until=until, limit=self.choice(1, 5), most=most
        )
        self.leases = [*self.leases, *found][-30:]

    def answer(self) -> None:
        if not self.leases:
            return
        lease, now = self.choice(*self.leases), self.later()
        told = {"now": now, "attempt": lease.attempts}
        doubt = self.choice(None, None, now) if lease.topic == "release" else None
        how = self.choice("settle", "settle", "retry", "park", "give back")
        if how == "settle":
            self.ask("settle", lease.entry, **told)
        elif how == "retry":
            self.ask("settle", lease.entry, retry_at=now, called_at=doubt, **told)
        elif how == "park":
            self.ask("park", lease.entry, note="no", called_at=doubt, **told)
        else:
            self.ask("put_back", [lease], now=now, retry_at=now, note="later")

    def set_aside(self) -> None:
        error, position = self.choice("one", "two"), self.choice("", "page")
        self.ask("set_aside", "poll:x", error=error, now=self.later(), position=position, number=1)
        parked = self.choice(*self.ask("parked"))
        verb = self.choice("revive", "give_up")
        self.ask(verb, parked.id, now=self.later())

    def do_again(self) -> None:
        if self.notices:
            self.hear(self.choice(*self.notices))
        now = self.later()
        name = self.choice("poll:x", "pull:y", "cover")
        task = self.ask("lease_task", name, now=now, until=now + MINUTE)
        self.tasks += [task] if task else []
        if self.tasks:
            told = {
                "due_at": now + MINUTE,
                "well": self.maybe(0.5),
                "cursor": self.choice(None, "c"),
            }
            self.ask("settle_task", self.choice(*self.tasks[-3:]), now=self.later(), **told)

    def follow(self) -> None:
        events = self.ask("events", limit=10_000)
        if not events:
            return
        event, now = self.choice(*events), self.later()
        reached = self.choice(*(each.seq for each in events if each.seq >= event.seq))
        parked = self.choice(None, now)
        due = now if parked is None else NEVER
        behind = Straggler("x", event.seq, event.order_id, due, 1, parked, "no")
        gone = [row.seq for row in self.ask("stragglers", "x") if row.seq != event.seq][:1]
        self.ask("advance_cursor", "x", reached, stragglers=[behind], caught_up=gone, now=now)

    # --- returns ---------------------------------------------------------------------------------

    def come_back(self) -> None:
        now = self.later()
        if not self.returns or self.maybe(0.4):
            _, name = self.order()
            lines = tuple((line, self.units(3)) for line in LINES if self.maybe(0.5))
            number, node = f"R{self.units(3)}", self.choice(*NODES)
            asked = AuthorizeReturn("main", "web", name, number, lines, node)
            if self.ask("authorize_return", asked, now=now)[0] == "authorized":
                self.returns.append(asked)
            return
        asked = self.choice(*self.returns)
        came = tuple(
            (line, self.units(most), self.choice(*CONDITIONS)) for line, most in asked.lines
        )
        node, at, close = self.choice("", *NODES), self.choice(None, self.when()), self.maybe(0.2)
        names = ("main", "web", asked.external_id, asked.return_id)
        self.ask("receive_return", ReceiveReturn(*names, came, node, at, close), now=now)

    # --- looking ---------------------------------------------------------------------------------

    def look(self) -> None:
        owner, before = self.choice(None, "main", "nobody"), self.now - self.choice(0, MINUTE)
        for kind in KINDS:
            found = self.ask("waiting", kind, before=before, owner=owner, limit=1000)
            number = self.ask("count_waiting", kind, before=before, owner=owner)
            assert number == len(found)
            pages, after = [], (0, 0, 0, 0)
            while page := self.ask(
                "waiting", kind, before=before, owner=owner, after=after, limit=2
            ):
                pages, after = pages + page, page[-1].key
            assert pages == found
        wanted = OrderFilter(
            owner=owner,
            status=self.choice(None, *ORDER_STATUSES),
            hold=self.choice(None, None, "fraud"),
            late=self.choice(None, None, self.now),
        )
        self.ask("find_orders", wanted, limit=10)
        self.ask("facts", wanted, limit=10)
        self.ask("backlog", owner=owner)
        self.ask("outgoing")
        self.ask("pending")
        self.ask("open_orders", now=self.now, limit=10)
        self.ask("stock_changes", 0, limit=50)
        self.ask("find_returns", limit=10)
        self.ask("rejections", [order_id for order_id, _ in self.orders])
        for verb in ("order", "returns", "shortfalls", "decisions", "erase"):
            self.ask(verb, self.order()[0])


def live_through(seeds: range, steps: int) -> None:
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            pair = Pair(seed, Path(folder) / "store.db")
            for _ in range(steps):
                pair.step()
            pair.finish()


@pytest.mark.parametrize("seed", range(8))
def test_both_stores_live_through_the_same(seed: int) -> None:
    live_through(range(seed, seed + 1), 150)


@pytest.mark.long
def test_both_stores_live_through_twenty_thousand_commands() -> None:
    live_through(range(100, 220), 200)
