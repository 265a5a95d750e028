"""Goods that others have sent, told by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from domcore.errors import PayloadError, Problem
from domcore.model import ShippedElsewhere
from domcore.model.clock import to_micros
from domcore.store.protocol import OrderView, Outcome
from domcore.telemetry import traced
from domcore.verbs.core import Core


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
        tracking: Sequence[str] = (),
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
            tracking: the numbers of the boxes.
            name: what to call the shipment; the same name again replaces what was told of it.
            taken_back: the shipment of this name has not left after all.

        Raises:
            NotFound, ConflictError: no such order, or several.
            PayloadError: an unknown line or node, units out of range, no name to take back.
        """
        view, now = self.store.order(self.find(reference)), self.now()
        if taken_back and (not name or lines):
            raise _refused("$.name", "say the name of the shipment to take back, and no lines")
        wanted = tuple(lines)
        told = () if taken_back else _by_line(view, wanted) if wanted else _all_lines(view)
        command = ShippedElsewhere(
            *view.order.key,
            name or f"by hand {now:%Y-%m-%dT%H:%M:%S.%fZ}",
            to_micros(now),
            at or now,
            told,
            total=not (wanted or taken_back),
            node=node,
            tracking=tuple(tracking),
        )
        with self.acting(by):
            return self._intake.ship_elsewhere(command)


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


def _refused(path: str, message: str) -> PayloadError:
    return PayloadError("this shipment cannot be taken in", [Problem(path, message)])
