"""Goods that others have sent, told by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from domcore.codec.text import is_text
from domcore.errors import PayloadError, Problem
from domcore.model import ShippedElsewhere
from domcore.model.clock import to_micros
from domcore.store.protocol import OrderView, Outcome
from domcore.store.rows import MOST
from domcore.telemetry import traced
from domcore.verbs.core import Core

WHAT: Final = "this shipment cannot be taken in"


class ElsewhereVerbs(Core):
    """What has left without a word from here."""

    @traced
    def ship_elsewhere(
        self,
        reference: str,
        lines: Iterable[tuple[str, int]] = (),
        *,
        at: datetime | None = None,
        node: str = "",
        tracking: str | Sequence[str] = (),
        name: str = "",
        taken_back: bool = False,
        by: str = "",
    ) -> Outcome:
        """Goods of an order have left that no node was told to send: they do not leave again.

        What nobody works on is taken off at once; nodes that work on it are asked to stop. Channels
        tell of it by the command `ShippedElsewhere`; see there.

        Args:
            lines: ``(line id or SKU, units)``; none is all of the order that has not left yet.
            at: when they left; now without it.
            node: the node whose shelf they were taken from, if it was one.
            tracking: the number of its box, or those of its boxes.
            name: what to call the shipment; the same name again replaces what was told of it.
                Without it a free one is chosen, ``by-hand-N``, and the outcome's detail says it.
            taken_back: the shipment of this name has not left after all.

        Raises:
            NotFound: no such order, or no shipment of this name to take back.
            ConflictError: several such orders, or more units than the order ever had.
            PayloadError: an unknown line or node, units out of range, no name to take back, a
                value that is not of its type.
        """
        wanted, numbers = _checked_lines(lines), _texts(tracking)
        view, now = self.store.order(self.find(reference)), self.now()
        if taken_back and (not name or wanted):
            raise _refused("$.name", "say the name of the shipment to take back, and no lines")
        told = () if taken_back else _by_line(view, wanted) if wanted else _all_lines(view)
        command = ShippedElsewhere(
            *view.order.key,
            name,
            to_micros(now),
            now if at is None else at,
            told,
            total=not (wanted or taken_back),
            node=node,
            tracking=numbers,
        )
        with self.acting(by):
            return self._intake.ship_elsewhere(command, by_hand=True)


def _all_lines(view: OrderView) -> tuple[tuple[str, int], ...]:
    lines = view.order.lines
    return tuple((line.id, line.quantity) for line in lines if line.ships and line.quantity)


def _by_line(view: OrderView, wanted: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Units by line id; those of a SKU go to its lines, first to what has not left."""
    lines = {line.id: line for line in view.order.lines if line.ships}
    left = {
        line.id: max(0, line.quantity - buckets.shipped)
        for line, buckets in zip(view.order.lines, view.lines, strict=True)
    }
    found: dict[str, int] = {}
    for number, (called, units) in enumerate(wanted):
        of_sku = [id for id, line in lines.items() if line.sku == called]
        ids = [called] if called in lines else of_sku
        if not ids:
            raise _refused(f"$.lines[{number}]", "the order has no such line or SKU that ships")
        for id in ids[:-1]:
            some = min(units, max(0, left[id] - found.get(id, 0)))
            found[id] = found.get(id, 0) + some
            units -= some
        found[ids[-1]] = found.get(ids[-1], 0) + units
    return tuple((id, units) for id, units in found.items() if units)


def _checked_lines(lines: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Raises: PayloadError: every one that is not a name and units."""
    if isinstance(lines, str | bytes) or not isinstance(lines, Iterable):
        raise _refused("$.lines", "must be (line id or SKU, units) pairs")
    found, problems = [], []
    for number, pair in enumerate(lines):
        if (
            isinstance(pair, tuple | list)
            and len(pair) == 2
            and is_text(pair[0])
            and type(pair[1]) is int
            and 1 <= pair[1] <= MOST
        ):
            found.append((pair[0], pair[1]))
        else:
            told = f"must be a line id or SKU, and units from 1 to {MOST}"
            problems.append(Problem(f"$.lines[{number}]", told))
    if problems:
        raise PayloadError(WHAT, problems)
    return tuple(found)


def _texts(tracking: str | Sequence[str]) -> tuple[str, ...]:
    """A text is one number, not one for each of its characters."""
    if isinstance(tracking, str):
        return (tracking,) if tracking else ()
    if not (isinstance(tracking, Sequence) and all(map(is_text, tracking))):
        raise _refused("$.tracking", "must be a number, or a list of numbers, as text")
    return tuple(tracking)


def _refused(path: str, message: str) -> PayloadError:
    return PayloadError(WHAT, [Problem(path, message)])
