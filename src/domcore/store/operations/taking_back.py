"""The returns of one order: what may come back of it, and what has arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import evolve

from domcore.codec.stored import Bodies
from domcore.errors import ConflictError, NotFound, PayloadError, Problem
from domcore.model.clock import to_micros
from domcore.model.returns import AuthorizeReturn, ReceiveReturn
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.operations.observe import CLOCKS_APART
from domcore.store.operations.returns import (
    Receipt,
    authorize,
    check_lines,
    check_units,
    coming_back,
    line_numbers,
)
from domcore.store.operations.troubles import Troubles
from domcore.store.operations.typed import content_of
from domcore.store.protocol import Outcome
from domcore.store.rows import (
    SHIPPED,
    BodyRow,
    LineRow,
    OrderRow,
    ReservationRow,
    ReturnLineRow,
    ReturnRow,
)


def authorization_digest(command: AuthorizeReturn) -> bytes:
    """Of what is authorized; the key and the node are no part of that."""
    return hashlib.sha256(content_of(evolve(command, key="", node=""))).digest()


def receipt_digest(command: ReceiveReturn) -> bytes:
    """Of what has arrived."""
    return hashlib.sha256(content_of(command)).digest()


def arrived_at(command: ReceiveReturn, now: int) -> int:
    """When the units arrived.

    Raises:
        PayloadError: the time lies in the future.
    """
    if command.at is None:
        return now
    if to_micros(command.at) > now + CLOCKS_APART:
        raise unmeant(Problem("$.at", "lies in the future"))
    return to_micros(command.at)


def unmeant(problem: Problem) -> PayloadError:
    """The error for one field of a return."""
    return PayloadError("this return cannot be taken in", [problem])


def node_called(reader: Reader, code: str) -> int:
    """The node's id.

    Raises:
        PayloadError: no node was ever called that.
    """
    for node_id, known in reader.nodes().items():
        if known == code:
            return node_id
    raise unmeant(Problem("$.node", "no such node"))


class TakingBack:
    """The returns of one order while something is done with them."""

    def __init__(
        self, reader: Reader, changes: Changes, bodies: Bodies, found: OrderRow, now: int
    ) -> None:
        self._reader: Final = reader
        self._changes: Final = changes
        self._found: Final = found
        self._now: Final = now
        (body,) = reader.select("order_body", "order_id", [found.id])
        self._numbers: Final = line_numbers(bodies.order.load(BodyRow(*body).body))
        rows = reader.select("return_order", "order_id", [found.id])
        self._returns: Final = [ReturnRow._make(row) for row in rows]

    def lacks_a_line(self, names: Iterable[str]) -> bool:
        """Whether the order has not all of these lines."""
        return not self._numbers.keys() >= set(names)

    def called(self, name: str) -> ReturnRow | None:
        """The return of that name."""
        return next((row for row in self._returns if row.name == name), None)

    def repeated(self, name: str, digest: bytes) -> Outcome | None:
        """What came of the authorization of a return before; None where it is new.

        Raises:
            ConflictError: it was authorized with other content.
        """
        known = self.called(name)
        if known is None:
            return None
        if known.digest != digest:
            raise ConflictError(f"return {name!r} has been authorized with other content")
        return Outcome("duplicate", known.order_id, "it was authorized before")

    def authorize(
        self, command: AuthorizeReturn, digest: bytes, about: Mapping[str, Any]
    ) -> Outcome:
        """Let units come back to `command.node`.

        Raises:
            TooEarlyError: more units than have shipped and are not coming back already.
            PayloadError: an unknown node or line, units out of range.
        """
        reader, found = self._reader, self._found
        row = ReturnRow(
            reader.last_id("return_order") + 1,
            found.id,
            command.return_id,
            node_called(reader, command.node),
            self._now,
            None,
            command.reason,
            digest,
        )
        check_lines(command.lines, self._numbers)
        stored = reader.select("order_line", "order_id", [found.id])
        lines = {line[1]: LineRow(*line) for line in stored}
        check_units(command, self._numbers, lines, coming_back(reader, self._returns))
        about = {"node": command.node, **about}
        outcome = authorize(self._changes, command, row, self._numbers, lines, about)
        troubles = Troubles(reader, self._changes, found.id, self._now)
        troubles.come_back(dict(command.lines), command.return_id)
        return outcome

    def receive(self, command: ReceiveReturn, at: int) -> Outcome:
        """Units have arrived.

        Raises:
            NotFound: there is no such return.
            ConflictError: it is closed, or waits for fewer units.
            PayloadError: an unknown node, line or condition, units out of range.
        """
        reader, row = self._reader, self.called(command.return_id)
        if row is None:
            raise NotFound(
                f"{command.channel}/{command.external_id} has no return {command.return_id!r};"
                " authorize it first"
            )
        if command.lines or not command.close:
            check_lines(command.lines, self._numbers)
        node_id = node_called(reader, command.node) if command.node else row.node_id
        node = (node_id, reader.nodes()[node_id])
        stored = reader.select("return_line", "return_id", [row.id])
        lines = [ReturnLineRow._make(line) for line in stored]
        receipt = Receipt(reader, self._changes, row, lines, self._numbers)
        return receipt.take(command, node, at, self._now)

    def shipper(self) -> str:
        """The node that has shipped most of the order; of several the one known for longest."""
        nodes = self._reader.nodes()
        shipped = dict.fromkeys(sorted(nodes), 0)
        rows = self._reader.select("reservation", "order_id", [self._found.id])
        for row in map(ReservationRow._make, rows):
            if row.state == SHIPPED:
                shipped[row.node_id] += row.quantity
        return nodes[max(shipped, key=lambda node_id: shipped[node_id])] if shipped else ""
