"""Writing what comes back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from domcore.errors import ConflictError, NotFound, PayloadError, Problem
from domcore.model.clock import to_micros
from domcore.model.order import Order
from domcore.model.returns import AuthorizeReturn, ReceiveReturn
from domcore.store.changes import Changes
from domcore.store.operations.inbox import remember, seen_before
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
from domcore.store.operations.typed import content_of, typed
from domcore.store.protocol import Outcome
from domcore.store.rows import LineRow, OrderRow, ReturnLineRow, ReturnRow
from domcore.store.writing.common import Writes

SOURCE = "return"


class ReturnWrites(Writes):
    """Returns: authorized, received, closed."""

    def authorize_return(
        self, command: AuthorizeReturn, *, now: int, about: Mapping[str, Any] | None = None
    ) -> Outcome:
        """See `Store.authorize_return`."""
        command = typed(command, AuthorizeReturn, "this return")
        backend, changes = self._backend, Changes(command.by)
        if not command.return_id:
            raise PayloadError("this return cannot be taken in", [Problem("$.return_id", "empty")])
        digest = hashlib.sha256(content_of(evolve(command, key="", node=""))).digest()
        with backend.writing():
            found, order = self._ordered(command)
            earlier = self._returns_of(found.id)
            for known in earlier:
                if known.name == command.return_id:
                    return _repeated(known, digest)
            row = ReturnRow(
                backend.last_id("return_order") + 1,
                found.id,
                command.return_id,
                self._node(command.node),
                now,
                None,
                command.reason,
                digest,
            )
            numbers = line_numbers(order)
            check_lines(command.lines, numbers)
            stored = backend.select("order_line", "order_id", [found.id])
            lines = {line[1]: LineRow(*line) for line in stored}
            check_units(command, numbers, lines, coming_back(backend, earlier))
            about = {"node": command.node, **(about or {})}
            outcome = authorize(changes, command, row, numbers, lines, about)
            troubles = Troubles(backend, changes, found.id, now)
            troubles.come_back(dict(command.lines), command.return_id)
            backend.apply(changes)
        return outcome

    def receive_return(self, command: ReceiveReturn, *, now: int) -> Outcome:
        """See `Store.receive_return`."""
        command = typed(command, ReceiveReturn, "this return")
        backend, changes = self._backend, Changes(command.by)
        at = _when(command, now)
        digest = hashlib.sha256(content_of(command)).digest()
        key = command.key or (digest.hex() if command.at is not None else "")
        with backend.writing():
            found, order = self._ordered(command)
            if key:
                repeat = seen_before(backend, found.owner_id, SOURCE, key, digest)
                if repeat is not None:
                    return repeat
            known = [row for row in self._returns_of(found.id) if row.name == command.return_id]
            if not known:
                raise NotFound(
                    f"{command.channel}/{command.external_id} has no return {command.return_id!r};"
                    " authorize it first"
                )
            (row,) = known
            numbers = line_numbers(order)
            if command.lines or not command.close:
                check_lines(command.lines, numbers)
            node_id = self._node(command.node) if command.node else row.node_id
            node = (node_id, backend.nodes()[node_id])
            receipt = Receipt(backend, changes, row, self._return_lines([row.id]), numbers)
            outcome = receipt.take(command, node, at, now)
            if key:
                remember(changes, found.owner_id, SOURCE, key, digest, outcome, now)
            self._apply(changes, now)
        return outcome

    def _ordered(self, command: AuthorizeReturn | ReceiveReturn) -> tuple[OrderRow, Order]:
        backend = self._backend
        owner_id = backend.owner_id(command.owner)
        found = None
        if owner_id is not None:
            found = backend.find_order(owner_id, command.channel, command.external_id)
        if found is None:
            raise NotFound(f"there is no order {command.channel}/{command.external_id}")
        (body,) = backend.select("order_body", "order_id", [found.id])
        return found, self._bodies.order.load(body[3])

    def _node(self, code: str) -> int:
        for node_id, known in self._backend.nodes().items():
            if known == code:
                return node_id
        raise PayloadError("this return cannot be taken in", [Problem("$.node", "no such node")])

    def _returns_of(self, order_id: int) -> list[ReturnRow]:
        rows = self._backend.select("return_order", "order_id", [order_id])
        return [ReturnRow._make(row) for row in rows]

    def _return_lines(self, ids: Sequence[int]) -> list[ReturnLineRow]:
        rows = self._backend.select("return_line", "return_id", ids) if ids else []
        return [ReturnLineRow._make(row) for row in rows]


def _repeated(known: ReturnRow, digest: bytes) -> Outcome:
    if known.digest != digest:
        raise ConflictError(f"return {known.name!r} has been authorized with other content")
    return Outcome("duplicate", known.order_id, "it was authorized before")


def _when(command: ReceiveReturn, now: int) -> int:
    """When the units arrived.

    Raises:
        PayloadError: the time lies in the future.
    """
    if command.at is None:
        return now
    if to_micros(command.at) > now + CLOCKS_APART:
        problem = Problem("$.at", "lies in the future")
        raise PayloadError("this return cannot be taken in", [problem])
    return to_micros(command.at)
