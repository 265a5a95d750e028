"""The rows of goods that others have sent. See `store.rows`."""

from __future__ import annotations

from typing import NamedTuple


class ElsewhereRow(NamedTuple):
    """One shipment that no node of ours was told to make, as it was told last; kept, for its order
    may come later, and nodes may yet say that it is theirs. `node_id` 0: of no node.

    `lines` is JSON ``[[line id, units], ...]``, `tracking` JSON ``[number, ...]`` of every number
    ever told.
    """

    owner_id: int
    channel: str
    external_id: str
    name: str
    revision: int
    at: int
    total: int
    node_id: int
    lines: bytes
    tracking: bytes


class ElsewhereLineRow(NamedTuple):
    """Units of a line that count as shipped because others have sent them, by the node that they
    were taken from (0: none). `at` is when the last of them left."""

    order_id: int
    line_no: int
    node_id: int
    units: int
    at: int
