"""What planning hooks are shown: possible sources, and the frozen context they decide in."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from domcore.model.network import Node
from domcore.model.quantities import Quantities


@frozen(slots=True)
class Candidate:
    """One possible source of an order.

    Args:
        node: the node that would ship.
        quantities: physical availability there (on hand - reserved - blocked) of the order's
            SKUs, before safety stock and protection.
        distance: metres to the destination, great circle.
    """

    node: Node
    quantities: Quantities
    distance: int

    @property
    def key(self) -> str:
        """What facts and plans call it: the node's id."""
        return self.node.id


@frozen(slots=True)
class PlanContext:
    """All that a planning hook may know besides its arguments: no store, no clock, no application.

    `now` is the decision's time (aware UTC), taken once and stored; `settings` are the plugin's
    own from the project file.

    Args:
        prepared: what the plugin's own `prepare` has fetched for this order: a JSON value, frozen
            (mappings and tuples); None where there is nothing.
        budget_seconds: in `prepare`: how long it may take.
        sources: in `prepare`: the nodes that hold some of an order, by `Order.key_text`.
    """

    now: datetime
    owner: str
    seed: int = 0
    settings: Mapping[str, Any] = field(factory=dict)
    logger: logging.Logger = field(factory=lambda: logging.getLogger("domcore.plugins"), repr=False)
    prepared: Any = None
    budget_seconds: float = 0.0
    sources: Mapping[str, tuple[Node, ...]] = field(factory=dict)
