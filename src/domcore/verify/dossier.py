"""Everything the store holds about one order, joined from a dozen sorted streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from domcore.model import Order
from domcore.store.hold_rows import HoldRow
from domcore.store.rows import (
    AwaitedRow,
    BodyRow,
    CorrectionRow,
    DecisionRow,
    ElsewhereLineRow,
    FulfillmentRow,
    LineExclusionRow,
    LineRow,
    OrderRow,
    PackageRow,
    ReservationRow,
    RevisionRow,
    StateRow,
    TroubleRow,
)
from domcore.store.waiting_rows import WaitingRow
from domcore.verify.movements import Movements
from domcore.verify.source import Source
from domcore.verify.spool import Grouped
from domcore.verify.violation import Violations, broken

_TABLES: Final = (
    ("order_body", BodyRow),
    ("order_revision", RevisionRow),
    ("order_state", StateRow),
    ("order_line", LineRow),
    ("waiting", WaitingRow),
    ("hold", HoldRow),
    ("decision", DecisionRow),
    ("reservation", ReservationRow),
    ("fulfillment_order", FulfillmentRow),
    ("package", PackageRow),
    ("line_exclusion", LineExclusionRow),
    ("awaited_item", AwaitedRow),
    ("trouble", TroubleRow),
    ("elsewhere_line", ElsewhereLineRow),
    ("correction", CorrectionRow),
)


class Dossier(NamedTuple):
    """One order. `events` and those after it hold rows as `Movements` sorts them."""

    order: OrderRow
    bodies: list[BodyRow]
    revisions: list[RevisionRow]
    states: list[StateRow]
    lines: list[LineRow]
    waiting: list[WaitingRow]
    holds: list[HoldRow]
    decisions: list[DecisionRow]
    reservations: list[ReservationRow]
    work: list[FulfillmentRow]
    packages: list[PackageRow]
    exclusions: list[LineExclusionRow]
    awaited: list[AwaitedRow]
    trouble: list[TroubleRow]
    elsewhere: list[ElsewhereLineRow]
    corrections: list[CorrectionRow]
    events: list[tuple[int, int, int, int]]
    outbox: list[tuple[Any, ...]]
    ledger: list[tuple[int, ...]]
    inbox: list[tuple[int, int, int]]
    returns: list[tuple[int, ...]]
    brought: list[tuple[int, int]]
    taken: list[tuple[int, int, int, int]]
    news: list[tuple[Any, ...]]
    troubles: list[tuple[Any, ...]]

    @property
    def place(self) -> str:
        """What people call it."""
        return f"order {self.order.id} ({self.order.channel}/{self.order.external_id})"


class Read(NamedTuple):
    """An order whose parts are all there, with its present body read."""

    papers: Dossier
    place: str
    state: StateRow
    body: Order


class Dossiers:
    """Reads dossiers one after the other; what belongs to no order is reported as it is found."""

    def __init__(self, source: Source, movements: Movements) -> None:
        self._orders: Final = map(OrderRow._make, source.rows("orders"))
        self._streams: Final[list[tuple[str, Grouped]]] = [
            (table, Grouped(map(row._make, source.rows(table)))) for table, row in _TABLES
        ]
        for name in (
            "events",
            "outbox",
            "ledger",
            "inbox",
            "returns",
            "brought",
            "taken",
            "news",
            "troubles",
        ):
            self._streams.append((name, Grouped(getattr(movements, name).sorted())))
        self._persons: Final = Grouped(source.rows("person"))

    def __iter__(self) -> Iterator[Dossier]:
        takes = [grouped.take for _, grouped in self._streams]
        persons = self._persons.take
        for order in self._orders:
            order_id = order.id
            persons(order_id)
            yield Dossier(order, *[take(order_id) for take in takes])

    def finish(self) -> None:
        """All orders are through: whatever is left is a stray."""
        self._persons.finish()
        for _, grouped in self._streams:
            grouped.finish()

    def strays(self) -> Violations:
        """Rows met since the last call that refer to no order."""
        if self._persons.strays:
            for row in self._persons.strays:
                yield broken("personal-data", f"person {row[0]}", "belongs to no order")
            self._persons.strays = []
        for name, grouped in self._streams:
            if grouped.strays:
                for row in grouped.strays:
                    yield broken(
                        "I5", f"{name} of order {row[0]}", "there is no such order beside it"
                    )
                grouped.strays = []
