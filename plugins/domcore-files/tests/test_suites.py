"""The common suites, on a channel and a connector that exchange files."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domcore.model import Envelope, Handover, Package, ShipmentNews, StockLevel
from domcore.testing import ChannelSuite, ConnectorSuite, make_handover
from domcore.testing.handovers import HANDED_OVER_AT
from domcore_files.channel import FilesChannel
from domcore_files.connector import FilesConnector


class TestChannel(ChannelSuite):
    """Orders and stock, as CSV and as JSON Lines."""

    @pytest.fixture(autouse=True)
    def _kit(self, kit: Any, folder: Path) -> None:
        self.kit, self.folder = kit, folder
        self.calls = kit.Calls()
        self.count = 0

    def channel(self) -> FilesChannel:
        made: FilesChannel = self.kit.make_channel(self.folder, self, deliveries="accept")
        return made

    def __getattr__(self, name: str) -> Any:
        """The disk of this moment, for channels that were made before it failed."""
        if name.startswith(("_", "test")) or not hasattr(os, name):
            raise AttributeError(name)
        return getattr(self.calls, name)

    def deliveries(self) -> list[Envelope]:
        line = (
            b'{"order": "9", "placed_at": "2026-01-05T08:00:00Z", "name": "Ottilie Quist", '
            b'"lines": [{"line": "1", "sku": "MUG", "quantity": 2, "price": "3.10"}]}\n'
            b'{"order": "8", "revision": 4, "cancelled": true}\n'
            b'{"sku": "MUG", "node": "NYC", "delta": -2}\n'
        )
        bodies = [self.kit.ORDERS.encode(), self.kit.STOCK.encode(), line]
        return [Envelope("shop", body) for body in bodies]

    def personal_data(self) -> list[str]:
        return ["Ottilie", "Quist", "o@quist.example", "Juniper", "Hudson", "Ann Poe", "Elm St"]

    def life(self) -> list[Envelope]:
        head = "order,revision,line,sku,quantity,placed_at,country,cancelled\n"
        rows = [
            "1,1,a,MUG,2,2026-01-05T08:00:00Z,US,\n",
            "1,2,a,MUG,1,2026-01-05T08:00:00Z,US,\n1,2,b,KETTLE,1,,,\n",
            "1,3,,,,,,true\n",
        ]
        return [Envelope("shop", f"{head}{row}".encode()) for row in rows]

    def orders_appear(self, count: int) -> None:
        self.count += 1
        rows = "".join(
            f"{self.count}-{at},1,MUG,1,2026-01-05T08:00:00Z,US\n" for at in range(count)
        )
        text = f"order,line,sku,quantity,placed_at,country\n{rows}"
        self.file = self.kit.put(self.folder, f"orders-{self.count}.csv", text)

    def more_than_a_page(self) -> int:
        for _ in range(3):
            self.orders_appear(2)
        return 6

    def bad_order_appears(self) -> None:
        """In the file that was put in last, among orders that can be read."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write("bad,1,MUG,many,2026-01-05T08:00:00Z,US\n")

    def golden(self) -> list[tuple[Envelope, dict[str, object]]]:
        """What a person reads in the files of this test."""
        order: dict[str, object] = {
            "order.external_id": "1001",
            "order.placed_at": datetime(2026, 1, 5, 8, tzinfo=UTC),
            "order.lines.0.sku": "MUG",
            "order.lines.0.quantity": 2,
            "order.lines.0.price": 10_000_000,
            "order.lines.1.sku": "KETTLE",
            "order.lines.1.price": 35_500_000,
            "order.destination.region": "NY",
        }
        count: dict[str, object] = {
            "counts.0.sku": "MUG",
            "counts.0.node": "NYC",
            "counts.0.on_hand": 40,
            "counts.0.safety": 2,
        }
        bodies = [self.kit.ORDERS.encode(), self.kit.STOCK.encode()]
        return [
            (Envelope("shop", body), values)
            for body, values in zip(bodies, (order, count), strict=True)
        ]

    def levels(self) -> list[StockLevel]:
        return [StockLevel("MUG", ("v1", "v2"), "", 4), StockLevel("=KETTLE", (), "NYC", 0)]

    def published(self) -> object:
        return (self.folder / "out" / "stock.csv").read_bytes()

    def news(self) -> ShipmentNews:
        work = make_handover()
        box = Package("BOX1", (("L1", 2),), "UPS", "1Z1")
        return ShipmentNews(
            "event/7", work.order, "fulfillment.shipped", work.key, "NYC", HANDED_OVER_AT,
            packages=(box,),
        )  # fmt: skip

    def effects(self) -> int:
        return sum(name.startswith("news-") for name in self.kit.files(self.folder, "out"))

    @contextmanager
    def shop_is_down(self) -> Any:
        away = self.folder.with_name("away")
        self.folder.rename(away)
        try:
            yield
        finally:
            away.rename(self.folder)

    @contextmanager
    def shop_fails_after(self, calls: int) -> Any:
        self.calls = self.kit.Calls(calls + 1, OSError(5, "Input/output error"))
        try:
            yield
        finally:
            self.calls = self.kit.Calls()

    @contextmanager
    def drops_the_answer(self) -> Any:
        self.calls = _LosesTheAnswer(self.kit.Calls())
        try:
            yield
        finally:
            self.calls = self.kit.Calls()


class _Files(ConnectorSuite):
    """A node's folder, and a node that takes work by moving it, or by deleting it."""

    options: dict[str, Any] = {}  # noqa: RUF012 - each class has its own

    @pytest.fixture(autouse=True)
    def _kit(self, kit: Any, folder: Path) -> None:
        self.kit, self.folder = kit, folder
        self.calls = kit.Calls()

    def connector(self) -> FilesConnector:
        made: FilesConnector = self.kit.make_connector(
            self.folder, self, deliveries="accept", **self.options
        )
        return made

    def __getattr__(self, name: str) -> Any:
        """The disk of this moment, for connectors that were made before it failed."""
        if name.startswith(("_", "test")) or not hasattr(os, name):
            raise AttributeError(name)
        return getattr(self.calls, name)

    @contextmanager
    def refuses(self) -> Any:
        self.calls = self.kit.Calls(1, OSError(28, "No space left on device"))
        try:
            yield
        finally:
            self.calls = self.kit.Calls()

    def pieces_of_work(self, key: str) -> int:
        found = [
            name
            for under in ("out", "taken")
            for name in self.kit.files(self.folder, under)
            if name.startswith(f"{key}.") and ".stop." not in name
        ]
        return len(found)

    @contextmanager
    def partner_is_down(self) -> Any:
        away = self.folder.with_name("away")
        self.folder.rename(away)
        try:
            yield
        finally:
            away.rename(self.folder)

    @contextmanager
    def drops_the_answer(self) -> Any:
        self.calls = _LosesTheAnswer(self.kit.Calls())
        try:
            yield
        finally:
            self.calls = self.kit.Calls()

    def tells(self, handover: Handover) -> None:
        for name in self.kit.files(self.folder, "out"):
            self.took(name)
        row = f"{handover.key},shipped,2026-01-06T10:00:00Z\n"
        self.kit.put(self.folder, f"{handover.key}.csv", f"key,status,at\n{row}")

    def more_than_a_page(self) -> list[Handover]:
        return [self.handover(f"{order}-1-NYC") for order in (7, 8, 9)]

    def golden(self) -> list[tuple[Envelope, dict[str, object]]]:
        """What a person reads in the file of this test."""
        values: dict[str, object] = {
            "fulfillment_order": "7-1-NYC",
            "status": "shipped",
            "at": datetime(2026, 1, 6, 10, tzinfo=UTC),
            "packages.0.id": "BOX1",
            "packages.0.lines": (("L1", 2),),
            "packages.1.carrier": "UPS",
            "packages.1.tracking": "1Z2",
        }
        return [(Envelope("partner", self.kit.NOTICES.encode()), values)]

    def took(self, name: str) -> None:
        (self.folder / "out" / name).rename(self.folder / "taken" / name)

    def deliveries(self) -> list[Envelope]:
        line = '{"key": "7-1-NYC", "status": "accepted", "at": "2026-01-06T10:00:00Z"}\n'
        return [
            Envelope("partner", self.kit.NOTICES.encode()),
            Envelope("partner", line.encode()),
        ]


class _LosesTheAnswer:
    """A disk that carries out the rename into ``out``, and then says that it could not."""

    def __init__(self, calls: Any) -> None:
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._calls, name)

        def call(*args: Any) -> Any:
            result = real(*args)
            if name == "replace" and Path(args[1]).parent.name == "out":
                raise OSError(5, "Input/output error")
            return result

        return call


class TestConnectorCsv(_Files):
    """As CSV."""


class TestConnectorForPeople(_Files):
    """As CSV that a spreadsheet may open, and that nobody takes out of the folder."""

    options = {"csv_plain": False, "withdraw": False}  # noqa: RUF012


class TestConnectorJsonLines(_Files):
    """As JSON Lines, for a machine."""

    options = {"format": "jsonl"}  # noqa: RUF012
