"""A small shop to test a store with, and the words that tests are written in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import evolve

from domcore.errors import (
    DomcoreError,
)
from domcore.model import (
    CaptureOrder,
    Destination,
    Item,
    Network,
    Node,
    Notice,
    ObserveStock,
    Order,
    OrderLine,
    Point,
    StockCount,
)
from domcore.store.protocol import (
    Commit,
    Draw,
    OpenOrder,
    Outcome,
    Store,
)

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
NOW: Final = 1_767_225_600_000_000
"""`START` in microseconds."""
MINUTE: Final = 60_000_000
NODES: Final = ("east", "north", "west")


def raises(
    kind: type[DomcoreError], call: Callable[..., object], *args: Any, **kwargs: Any
) -> DomcoreError:
    """The exception of the named kind that the call raises."""
    try:
        call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def order_of(external_id: str = "1", revision: int = 1, **lines: int) -> Order:
    """An order with one line per SKU, whose line ids are ``L-sku``."""
    return Order(
        owner="main",
        channel="web",
        external_id=external_id,
        revision=revision,
        placed_at=START,
        currency="EUR",
        lines=tuple(OrderLine(f"L-{sku}", sku, units, 5_000_000) for sku, units in lines.items()),
        destination=Destination("DE", postal="10"),
        number=f"#{external_id}",
    )


class StoreKit:
    """A store with three nodes, three items and short words for what tests do most."""

    def __init__(self, store: Store) -> None:
        self.store: Final = store
        nodes = tuple(Node(code, "dc", Point(0, 0), connector="fake") for code in NODES)
        saved = store.save_network(Network(nodes), now=NOW)
        self.node: Final = dict(zip(NODES, saved.node_ids, strict=True))
        store.save_items("main", [Item("bolt"), Item("nut"), Item("saw")], now=NOW)
        found = store.items("main", ["bolt", "nut", "saw"])
        self.item: Final = {sku: entry.item_id for sku, entry in found.items()}

    def count(self, sku: str, node: str, units: int, *, minutes: int = 0, safety: int = 0) -> None:
        """Count a shelf, as of so many minutes after `START`."""
        as_of = START + timedelta(minutes=minutes)
        count = StockCount(sku, node, on_hand=units, safety=safety, as_of=as_of)
        self.store.observe_stock(ObserveStock("main", (count,)), now=NOW + minutes * MINUTE)

    def shelf(self, sku: str, node: str) -> tuple[int, int, int]:
        """On hand, reserved, blocked."""
        for row in self.store.stock_of([self.item[sku]]):
            if row.node_id == self.node[node]:
                return row.on_hand, row.reserved, row.blocked
        return 0, 0, 0

    def take_in(self, order: Order, **options: Any) -> int:
        """Capture an order; its id."""
        command = evolve(CaptureOrder(order), **options)
        (outcome,) = self.store.capture([command], now=NOW)
        assert outcome.order_id is not None
        return outcome.order_id

    def open(self, order_id: int) -> OpenOrder:
        """The order as the router sees it."""
        (found,) = self.store.open_orders(now=NOW, limit=1, order_ids=[order_id])
        return found

    def decide(
        self, order_id: int, node: str, *, floor: int = 0, units: int | None = None, **more: Any
    ) -> Commit:
        """A decision to take everything that is open (or `units` a line) from one node."""
        found = self.open(order_id)
        draws = tuple(
            Draw(line, found.item_ids[line], self.node[node], min(wanted, units or wanted), floor)
            for line, wanted in enumerate(found.open)
            if wanted
        )
        commit = Commit(order_id, found.version, found.sequence + 1, NOW, b'{"format":1}', draws)
        usual = {"release": (self.node[node],), "reason_before": found.reason}
        return evolve(commit, **{**usual, **more})

    def route(self, order_id: int, node: str, **more: Any) -> None:
        """Commit such a decision."""
        self.store.commit([self.decide(order_id, node, **more)])

    def lines(self, order_id: int) -> list[tuple[int, ...]]:
        """Open, allocated, shipped, cancelled by line."""
        return [tuple(line) for line in self.store.order(order_id).lines]

    def work(self, order_id: int) -> list[tuple[str, str]]:
        """Fulfillment orders: id and status."""
        return [(one.id, one.status) for one in self.store.order(order_id).fulfillment_orders]

    def hand_over(self) -> list[str]:
        """Lease everything that is to be released; the keys."""
        leases = self.store.lease_due("release", now=NOW, until=NOW + MINUTE, limit=100)
        return [lease.key for lease in leases]

    def hear(
        self, name: str, status: str, *lines: tuple[str, int], minutes: int = 0, **more: Any
    ) -> Outcome:
        """Take in news of work that happened so many minutes after `START`."""
        options = {key: more.pop(key) for key in ("exclude_until",) if key in more}
        notice = Notice(name, status, START + timedelta(minutes=minutes), lines, **more)
        return self.store.record(notice, now=NOW + minutes * MINUTE, **options)


class KitSuite:
    """Makes a fresh store for every test."""

    def make_store(self) -> Store:
        """An empty store; override it."""
        raise NotImplementedError

    @contextmanager
    def kit(self) -> Iterator[StoreKit]:
        """A store that is closed afterwards."""
        store = self.make_store()
        try:
            yield StoreKit(store)
        finally:
            store.close()
