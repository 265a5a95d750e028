"""The rows that say what persons have changed; a part of `domcore.store.rows`."""

from __future__ import annotations

from typing import Final, NamedTuple

DESTINATION: Final = "destination"
LINE: Final = "line:"
"""What corrections are about: where an order goes, or ``line:`` and the id of a line."""


class CorrectionRow(NamedTuple):
    """What a person has `said` of an order instead of what its channel has `told`. Both are JSON: a
    `Destination` (or null), or units. Personal data is in the person's row only."""

    order_id: int
    subject: str
    told: bytes
    said: bytes
    at: int
    by: str
