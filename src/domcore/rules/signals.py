"""What the store knows of nodes besides their stock: open work, and how fast goods leave.

They cost a look-up, so they are fetched only where a rule reads one of these facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from domcore.model.money import MICROS, MOST

WORK: Final = frozenset({"candidate.open_orders", "candidate.open_units"})
COVER: Final = "candidate.days_of_cover"
SIGNALS: Final = WORK | {COVER}
"""The facts that are made of signals."""


@frozen(slots=True)
class Signals:
    """Signals of the nodes that matter to one order; what was not asked for is empty.

    Args:
        work: ``(orders, units)`` that a node has not finished, by node position.
        days: over how many days `shipped` is counted; 0 where it was not asked for.
        shipped: by SKU, the units that have left each node in that time, by position.
    """

    work: Mapping[int, tuple[int, int]]
    days: int = 0
    shipped: Mapping[str, Mapping[int, int]] = {}


def signal_values(
    name: str, signals: Signals, sku: str, held: Mapping[int, int], positions: Sequence[int]
) -> dict[int, int]:
    """One such fact by node position.

    Args:
        sku, held: the line's, and what of it may be taken of each node, for facts that differ by
            line.
    """
    if name in WORK:
        place = 0 if name == "candidate.open_orders" else 1
        return {at: signals.work.get(at, (0, 0))[place] for at in positions}
    gone = signals.shipped.get(sku, {})
    return {
        at: min(MOST, held.get(at, 0) * signals.days * MICROS // gone[at])
        for at in positions
        if gone.get(at)
    }
