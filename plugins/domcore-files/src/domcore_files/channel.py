"""A shop that exchanges files: orders and stock come in, levels and news go out."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, Final

from domcore.errors import ConnectorError, PayloadError
from domcore.loading.order_rows import ROW, OrderReader
from domcore.loading.problems import Problems
from domcore.model import Command, Envelope, Pulled, ShipmentNews, StockLevel
from domcore_files.disk import PRIVATE, SHARED, Disk, Unreadable, name_of
from domcore_files.inbox import Inbox
from domcore_files.options import ChannelOptions, check_delivery
from domcore_files.parts import Delivered, PartReader, Seen, read_whole
from domcore_files.stock import (
    LEVEL_COLUMNS,
    counted_at,
    kept_level,
    kept_values,
    keys_of,
    level_values,
    merged,
    observations,
    split,
)
from domcore_files.tables import Row, read_rows
from domcore_files.work import NEWS_COLUMNS, file_of, news_rows

OUT: Final = "out"
STATE: Final = "state"
LEVELS: Final = "levels.jsonl"
NOTHING: Final = "there is not one order and not one count in it"


class FilesChannel:
    """One shop's folder. `receive` is pure: no store, no disk, no clock."""

    def __init__(
        self,
        name: str,
        owner: str,
        options: ChannelOptions,
        disk: Disk,
        *,
        currency: str = "",
        postal_digits: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.owner = owner
        self._options = options
        self._disk = disk
        self._mode = PRIVATE if options.private else SHARED
        self._reader = OrderReader(
            name, owner, currency, options.service, postal_digits,
            options.ship_when, options.reserve_unpaid,
        )  # fmt: skip
        self._parts: PartReader[Command] = PartReader(
            self._make,
            _group_of,
            nothing=NOTHING,
            refuse=options.bad_rows == "refuse",
            plain=options.csv_plain,
        )
        self._inbox: Inbox[Command] = Inbox(
            disk,
            self._parts.read,
            settle_seconds=options.settle_seconds,
            most_bytes=options.most_bytes,
            keep=options.keep,
            clock=clock,
        )

    def __repr__(self) -> str:
        return f"FilesChannel(name={self.name!r}, owner={self.owner!r})"

    def receive(self, envelope: Envelope) -> tuple[Command, ...]:
        """Read a file that came some other way, such as ``domcore receive``.

        Raises:
            SignatureError: that is not switched on (``deliveries``).
            PayloadError: it cannot be read; every bad row with its line and column.
        """
        check_delivery(envelope, self.name, self._options)
        return read_whole(
            self._make, _group_of, self.name, envelope.body, self._options.csv_plain, NOTHING
        )

    def trouble(self) -> list[str]:
        """A folder that is not there, files that were set aside."""
        return self._inbox.trouble()

    def pull(self, cursor: str) -> Pulled:
        """The next file in ``in``; the cursor that comes back puts it away.

        Raises:
            ConnectorError: the folder cannot be reached.
        """
        page = self._inbox.take(cursor)
        return Pulled(page.items, page.cursor, page.more)

    def publish_stock(self, levels: Sequence[StockLevel]) -> None:
        """Write ``out/stock.csv`` anew: all levels so far, with these in place of the old.

        Raises:
            ConnectorError: the folder cannot be reached, or what was published is damaged.
        """
        with self._disk.reached():
            self._disk.prepare(OUT, STATE)
            known = merged(self._published(), levels)
            rows = [level_values(level) for level in known]
            kept = file_of(LEVEL_COLUMNS, [*map(kept_values, known)], "jsonl", plain=True)
            self._disk.write(STATE, LEVELS, kept, self._mode)
            self._write(f"stock.{self._options.format}", LEVEL_COLUMNS, rows)

    def notify(self, news: ShipmentNews) -> None:
        """Write what became of an order, in a file of its own; the same key is the same file.

        Raises:
            ConnectorError: the folder cannot be reached.
        """
        with self._disk.reached():
            self._disk.prepare(OUT)
            name = f"news-{name_of(news.key)}.{self._options.format}"
            self._write(name, NEWS_COLUMNS, news_rows(news))

    def _write(self, name: str, columns: Sequence[str], rows: list[dict[str, Any]]) -> None:
        plain = self._options.csv_plain
        body = file_of(columns, rows, self._options.format, plain=plain)
        self._disk.write(OUT, name, body, self._mode)

    def _published(self) -> list[StockLevel]:
        """The levels that were published last."""
        if self._disk.look(STATE, LEVELS) is None:
            return []
        problems = Problems(LEVELS)
        try:
            body = self._disk.read(STATE, LEVELS, self._options.most_bytes * 4).body
            levels = [kept_level(row.values) for row in read_rows(LEVELS, body, "jsonl", problems)]
            problems.check()
        except (PayloadError, Unreadable, ValueError):
            raise ConnectorError(
                f"{self._disk.root / STATE / LEVELS}: is damaged; delete it, and publish all levels"
            ) from None
        return levels

    def _make(
        self, file: Delivered, format: str, rows: Iterable[Row], problems: Problems, seen: Seen
    ) -> Iterator[Command]:
        """What some rows of a file say."""
        orders, stock, part = split(rows, format, file.name, problems, "order", ROW)
        yield from self._reader.commands(
            orders,
            name=file.name,
            digest=file.digest,
            problems=problems,
            by_line=format == "csv",
            seen=seen,
        )
        yield from observations(
            stock,
            name=file.name,
            owner=self.owner,
            problems=problems,
            part=part,
            seen=seen,
            **keys_of(file),
        )


def _group_of(format: str, row: Row) -> Hashable | None:
    """The order that a row is about, or what it counts: where one row of it is bad, or they
    contradict each other, none is taken. A change of stock stands alone.

    Raises:
        LookupError: it is a line of an order, and does not say of which.
    """
    values = row.values
    if "order" in values:
        if format == "csv" and not values["order"]:
            raise LookupError
        return str(values["order"])
    return counted_at(row)
