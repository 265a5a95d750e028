"""Goods that come back: what may be sent, and what became of it when it arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domcore.codec.stored import dump_event
from domcore.errors import ConflictError, PayloadError, Problem
from domcore.model.order import Order
from domcore.model.returns import CONDITIONS, AuthorizeReturn, ReceiveReturn
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.observe import seen_by_count
from domcore.store.protocol import Outcome
from domcore.store.rows import MOST, LineRow, ReturnLineRow, ReturnRow, StockBalance

_PLACE: Final = dict(zip(CONDITIONS, ("restocked", "blocked", "written_off"), strict=True))
"""Where received units of a condition are counted."""


def line_numbers(order: Order) -> dict[str, int]:
    """Line id -> position."""
    return {line.id: number for number, line in enumerate(order.lines)}


class TooEarlyError(ConflictError):
    """More units than are known to have left: news of that may still come."""


def check_lines(given: Sequence[tuple[Any, ...]], numbers: Mapping[str, int] | None) -> None:
    """Refuse what cannot be meant.

    Args:
        numbers: line id -> position; None where the order may have any line.

    Raises:
        PayloadError: no line, one twice (in one condition), one the order has not, units out of
            range, an unknown condition.
    """
    problems = [] if given else [Problem("$.lines", "name at least one line")]
    seen: set[tuple[Any, ...]] = set()
    for number, (line, units, *condition) in enumerate(given):
        path = f"$.lines[{number}]"
        if numbers is not None and line not in numbers:
            problems.append(Problem(path, "the order has no such line"))
        if (line, *condition) in seen:
            problems.append(Problem(path, "is named twice"))
        seen.add((line, *condition))
        if type(units) is not int or not 1 <= units <= MOST:
            problems.append(Problem(path, f"units must be from 1 to {MOST}"))
        if condition and condition[0] not in CONDITIONS:
            problems.append(Problem(path, f"say one of {', '.join(CONDITIONS)}"))
    if problems:
        raise PayloadError("this return cannot be taken in", problems)


def check_units(
    command: AuthorizeReturn,
    numbers: Mapping[str, int],
    lines: Mapping[int, LineRow],
    coming: Mapping[int, int],
) -> None:
    """Only what has left can come back, and only once.

    Args:
        coming: units of each line that earlier returns speak of.

    Raises:
        TooEarlyError: more units than that.
    """
    for line, units in command.lines:
        number = numbers[line]
        most = lines[number].shipped - coming.get(number, 0)
        if units > most:
            raise TooEarlyError(
                f"return {command.return_id}: {units} units of line {line!r}, but only {most} have"
                " shipped and are not coming back already"
            )


def coming_back(reader: Reader, earlier: Sequence[ReturnRow]) -> dict[int, int]:
    """Units by line number that returns of one order speak of; of a closed one, those that came."""
    closed = {row.id for row in earlier if row.closed_at is not None}
    ids = [row.id for row in earlier]
    coming: dict[int, int] = {}
    for line in map(ReturnLineRow._make, reader.select("return_line", "return_id", ids)):
        units = sum(line[4:7]) if line.return_id in closed else line.units
        coming[line.line_no] = coming.get(line.line_no, 0) + units
    return coming


def authorize(
    changes: Changes,
    command: AuthorizeReturn,
    row: ReturnRow,
    numbers: Mapping[str, int],
    lines: Mapping[int, LineRow],
    about: Mapping[str, Any],
) -> Outcome:
    """Write down a return whose lines have been checked; `about` goes into the event."""
    changes.add("returns", row)
    for line, units in command.lines:
        number = numbers[line]
        item_id = lines[number].item_id
        changes.add("return_lines", (row.id, number, item_id, units, 0, 0, 0))
    body = {
        "return": row.name,
        "lines": command.lines,
        "reason": command.reason,
        **about,
    }
    event = (None, "return.authorized", row.order_id, row.authorized_at, dump_event(body))
    changes.add("events", event)
    return Outcome("authorized", row.order_id, str(about.get("node", "")))


class Receipt:
    """Units of one return that have arrived at one node."""

    def __init__(
        self,
        reader: Reader,
        changes: Changes,
        row: ReturnRow,
        lines: Sequence[ReturnLineRow],
        numbers: Mapping[str, int],
    ) -> None:
        self._reader: Final = reader
        self._changes: Final = changes
        self._row: Final = row
        self._lines: Final = {line.line_no: line for line in lines}
        self._numbers: Final = numbers

    def take(self, command: ReceiveReturn, node: tuple[int, str], at: int, now: int) -> Outcome:
        """Put the units where their condition says.

        Units that arrived before the node's last count are in that count already: they are written
        down as received, and stock is left alone.

        Raises:
            ConflictError: the return is closed, or more units than it is still waiting for.
        """
        row, name = self._row, command.return_id
        if row.closed_at is not None:
            raise ConflictError(f"return {name} is closed; nothing more is expected of it")
        before = dict(self._lines)
        for line, units, condition in command.lines:
            number = self._numbers[line]
            known = self._lines.get(number)
            left = 0 if known is None else known.units - sum(known[4:7])
            if known is None or units > left:
                raise ConflictError(
                    f"return {name}: {units} units of line {line!r}, but it waits for {left} more"
                )
            place = _PLACE[condition]
            self._lines[number] = known._replace(**{place: getattr(known, place) + units})
        for number, known in self._lines.items():
            if known != before[number]:
                self._changes.add("set_return_lines", (*known[4:7], row.id, number))
        self._stock(before, node[0], at, now)
        complete = all(line.units == sum(line[4:7]) for line in self._lines.values())
        if command.close or complete:
            self._changes.add("set_returns", (row.node_id, max(now, row.authorized_at), row.id))
        self._tell(command, node[1], at, closed=command.close or complete, complete=complete)
        return Outcome(
            "received" if command.lines or complete else "closed",
            row.order_id,
            self._ended(command) if command.close and not complete
            else "received" if complete else "partly received",
        )  # fmt: skip

    def _ended(self, command: ReceiveReturn) -> str:
        """What became of a return that ends before all of it has arrived."""
        taken = sum(units for _, units, _ in command.lines)
        all_units = sum(line.units for line in self._lines.values())
        missing = all_units - sum(sum(line[4:7]) for line in self._lines.values())
        took = f"{taken:,} taken in" if taken else "nothing taken in"
        return f"closed; {took}, {missing:,} of {all_units:,} never came"

    def _stock(self, before: Mapping[int, ReturnLineRow], node_id: int, at: int, now: int) -> None:
        arrived: dict[int, list[int]] = {}
        for number, line in self._lines.items():
            more = arrived.setdefault(line.item_id, [0, 0])
            more[0] += line.restocked - before[number].restocked
            more[1] += line.blocked - before[number].blocked
        keys = sorted((item_id, node_id) for item_id, more in arrived.items() if any(more))
        known = {row[:2]: StockBalance(*row) for row in self._reader.balances(keys)}
        for key in keys:
            restocked, blocked = arrived[key[0]]
            balance = known.get(key)
            if balance is None:
                self._changes.add("new_stock", StockBalance(*key, 0, 0, 0, 0, 0))
            elif at == balance.counted_at or seen_by_count(balance.counted_at, at, now):
                continue
            elif balance.on_hand + restocked + blocked > MOST:
                raise ConflictError(f"a node cannot hold more than {MOST} units of one item")
            for units, unsellable in ((restocked, 0), (blocked, blocked)):
                self._changes.move(
                    key,
                    "return",
                    at,
                    on_hand=units,
                    blocked=unsellable,
                    order_id=self._row.order_id,
                )

    def _tell(
        self, command: ReceiveReturn, node: str, at: int, *, closed: bool, complete: bool
    ) -> None:
        order_id = self._row.order_id
        body = {"return": command.return_id, "node": node, "lines": command.lines}
        if command.lines:
            event = (None, "return.received", order_id, at, dump_event(body))
            self._changes.add("events", event)
        if closed:
            missing = sum(line.units - sum(line[4:7]) for line in self._lines.values())
            ended = dump_event({"return": command.return_id, "missing": missing})
            self._changes.add("events", (None, "return.closed", order_id, at, ended))
