"""Seals of rows and chains of orders: by which `verify` knows what was changed behind our back.

A *seal* is a digest of a row's columns, kept beside them and made anew with every write; which
columns, says `SEALS`. What an order lived through, its events and its entries in the ledger, only
ever grows: there each fact is a *link*, and the order's state keeps the sum of its links, its
`chain`. A link is made of what a fact says, not of how it is kept: a number that is assigned, or
the row itself, may go, and the chain stays.

Both are against accidents, hands and bugs. Who can write to the file can make them anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final
from zlib import crc32

import msgspec

from domcore.store.rows import TABLES
from domcore.store.table import Table

CHAIN: Final = 2**62
"""Chains are sums modulo this: two of them can be added in 64 bits."""

_LINK: Final = {"event": 1, "ledger": 2}
"""What the checksums of links begin with."""

_pack: Final = msgspec.msgpack.Encoder().encode

_WHOLE: Final = """
owner node network blob item alias orders order_body order_revision hold person decision reservation
fulfillment_order outbox inbox cursor tombstone amendment package line_exclusion item_exclusion
return_order return_line task straggler published cover shortfall waiting awaited_item asked_hold
offer trouble unread elsewhere elsewhere_line kept_return
"""
"""Tables sealed with all their columns but those that the database assigns."""

_ASSIGNED: Final = {"event": "seq", "ledger": "seq", "outbox": "id"}
"""Keys that are not known when a row is written."""

CHAINED: Final = ("event", "ledger")
"""Tables whose rows are links where they are about an order, and sealed where they are not."""

_ABOUT: Final = {name: TABLES[name].columns.index("order_id") for name in CHAINED}

DIGESTED: Final = ("decision", "order_body", "order_revision", "person")
"""Tables whose seals are digests: what was ordered and decided, and for whom. The others' are
checksums, which cost a tenth."""

SALTED: Final = "person"
"""Its seals have a random salt each, so that nobody can test a guess on what has been erased."""

LASTING: Final = "reservation"
"""Sealed where it expires: of what is reserved for good, all follows from the decision, the lines
and the ledger."""


def _columns(table: Table) -> tuple[str, ...]:
    return tuple(name for name in table.columns if name != _ASSIGNED.get(table.name))


SEALS: Final[dict[str, tuple[str, ...]]] = {
    **{name: _columns(TABLES[name]) for name in (*_WHOLE.split(), *CHAINED)},
    # What else a balance says is proven by the ledger, and written too often to be sealed.
    "stock": ("item_id", "node_id", "counted_at"),
    # A chain is its own proof, and the others stand in the order's body and its decisions, too.
    "order_state": ("order_id", "version", "hold", "cancelled", "retry_at", "reason"),
}
"""Table -> the columns under its seal. Of `order_line` every column follows from others."""


_PICKED: Final = {
    name: itemgetter(*map(TABLES[name].columns.index, columns))
    for name, columns in SEALS.items()
    if columns != TABLES[name].columns and name not in CHAINED
}
"""What is sealed of a row where that is not all of it."""


def seal_of(*values: Any) -> int:
    """The checksum of these values: 32 bits."""
    return crc32(_pack(values))


def digest_of(*values: Any) -> int:
    """The digest of these values: 63 bits."""
    return int.from_bytes(sha256(_pack(values)).digest()[:8], "big") >> 1


def link_of(table: str, row: Sequence[Any]) -> int:
    """What a row about an order adds to its chain; its first column, the number, does not count."""
    return crc32(_pack(row[1:]), _LINK[table])


def sealed(table: str, rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Whole rows with what stands beside them: ``(..., seal)``, or ``(..., salt, seal)``."""
    if table == SALTED:
        salts = ((row, secrets.randbits(63)) for row in rows)
        return [(*row, salt, digest_of(salt, *row)) for row, salt in salts]
    if table in DIGESTED:
        return [(*row, digest_of(*row)) for row in rows]
    if table in CHAINED:
        about = _ABOUT[table]
        return [(*row, 0 if row[about] is not None else seal_of(*row[1:])) for row in rows]
    if table == LASTING:
        return [(*row, 0 if row[-1] is None else seal_of(*row)) for row in rows]
    pick = _PICKED.get(table)
    if pick is None:
        return [(*row, crc32(_pack(row))) for row in rows]
    return sealed_by(pick, rows)


def sealed_by(
    pick: Callable[[Sequence[Any]], tuple[Any, ...]], rows: Iterable[Sequence[Any]]
) -> list[tuple[Any, ...]]:
    """Rows with the checksum of what `pick` takes of them."""
    return [(*row, crc32(_pack(pick(row)))) for row in rows]
