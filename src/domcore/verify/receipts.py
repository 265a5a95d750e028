"""Returns against what their events tell: what was authorized, what arrived and in which state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from domcore.store.rows import EventRow, ReturnLineRow, ReturnRow
from domcore.verify.spool import Grouped, Spool
from domcore.verify.violation import Violations, broken

if TYPE_CHECKING:
    from domcore.verify.dossier import Read

TOLD: Final = ("return.authorized", "return.received")
"""The events that are read."""

_COLUMNS: Final = ("units", "restocked", "blocked", "written_off")
_PLACES: Final = {"sellable": "restocked", "damaged": "blocked", "scrap": "written_off"}


class _Told(msgspec.Struct):
    name: str = msgspec.field(name="return", default="")
    lines: list[list[Any]] = []


class Receipts:
    """Sorts by order what returns say, ``(order, return, line number, "", column, units)``, and
    what events tell of them, ``(order, return, -1, line id, column, units)``."""

    def __init__(self) -> None:
        self._decode: Final = msgspec.json.Decoder(_Told).decode
        self._rows: Final = Spool()
        self._sorted: Grouped | None = None
        self.names: frozenset[str] = frozenset()
        """Of the returns of the order that was checked last."""

    def add_line(self, row: ReturnRow, line: ReturnLineRow) -> None:
        """Take in a line of a return."""
        for column in _COLUMNS:
            units = getattr(line, column)
            self._rows.add((row.order_id, row.name, line.line_no, "", column, units))

    def add_event(self, row: EventRow) -> Violations:
        """Take in one of the events that are `TOLD`."""
        try:
            told = self._decode(row.body)
            for line in told.lines:
                column = "units" if row.kind == TOLD[0] else _PLACES[line[2]]
                self._rows.add((row.order_id, told.name, -1, str(line[0]), column, int(line[1])))
        except (msgspec.MsgspecError, KeyError, IndexError, TypeError, ValueError):
            yield broken("format", f"event {row.seq}", "does not tell of a return")

    def check(self, found: Read) -> Violations:
        """The returns of one order; the orders' ids rise."""
        if self._sorted is None:
            self._sorted = Grouped(self._rows.sorted())
        rows = self._sorted.take(found.papers.order.id)
        self.names = frozenset()
        if not rows:
            return
        numbers = {line.id: number for number, line in enumerate(found.body.lines)}
        left: dict[tuple[str, int, str], list[int]] = {}
        names = set[str]()
        for _, name, number, line, column, units in rows:
            told = number < 0
            place = numbers.get(line, -1) if told else number
            left.setdefault((name, place, column), [0, 0])[told] += units
            if not told:
                names.add(name)
        self.names = frozenset(names)
        self._sorted.strays.clear()  # a return of no order is told by others
        for (name, place, column), (there, told) in left.items():
            if there != told:
                word = "authorized" if column == "units" else column.replace("_", " ")
                message = f"{there} units of line {place} are {word}, by its events {told}"
                yield broken("events", found.place, f"return {name}: {message}")

    def close(self) -> None:
        """Give temporary files back."""
        self._rows.close()
