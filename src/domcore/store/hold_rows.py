"""The rows that hold orders back; a part of `domcore.store.rows`."""

from __future__ import annotations

from typing import Final, NamedTuple


class HoldRow(NamedTuple):
    """A reason to stop, of one revision; it stands until somebody approves it."""

    order_id: int
    revision: int
    code: str
    stage: str
    reason: str
    placed_at: int
    approved_at: int | None
    approved_by: str | None


class AskedHoldRow(NamedTuple):
    """A hold that a channel or a person asked for, by order and code; it may come before its order,
    and stands whatever revision comes later.

    `state`: see `LIFTED`. `revision` is that of the last word on it. `whole`: it was told with a
    whole order, and the next whole order tells anew whether it stands.
    """

    external_id: str
    channel: str
    owner_id: int
    code: str
    revision: int
    state: int
    whole: int
    stage: str
    reason: str
    at: int
    by: str


TAKEN_BACK: Final = "rules\n"
"""`HoldRow.approved_by` where nobody approved: the order was judged anew, and the hold counts as
never placed. Nobody can be called so, for names are printable."""

LIFTED, STANDING, WAIVED = range(3)
"""`AskedHoldRow.state`: lifted by who asked for it; standing; still told, but a person has approved
the order in spite of it."""
