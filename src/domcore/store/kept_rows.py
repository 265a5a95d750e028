"""The rows of what came before it could be carried out. See `store.rows`."""

from __future__ import annotations

from typing import Final, NamedTuple

WAITS, APPLIED, DROPPED = "", "applied", "dropped"
"""`KeptReturnRow.settled`: it waits; it has been carried out; a person has given it up."""

AUTHORIZE, RECEIVE = "authorize", "receive"
"""`KeptReturnRow.kind`: which command it is."""

SETTLED: Final = (WAITS, APPLIED, DROPPED)


class KeptReturnRow(NamedTuple):
    """A command of a return that came before its order, the return or the news that its goods have
    left; numbered as they came. `name` is the return's; `digest` is of its content, `body` a
    `store.operations.kept_returns.Said` as JSON. `settled` says what has become of it."""

    id: int
    owner_id: int
    channel: str
    external_id: str
    name: str
    kind: str
    came_at: int
    digest: bytes
    body: bytes
    settled_at: int | None
    settled: str
