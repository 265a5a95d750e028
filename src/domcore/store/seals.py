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
from functools import partial
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final
from zlib import crc32

import msgspec

from domcore.store.rows import TABLES
from domcore.store.table import Table

Rows = Iterable[Sequence[Any]]

CHAIN: Final = 2**62
"""Chains are sums modulo this: two of them can be added in 64 bits."""

_LINK: Final = {"event": 1, "ledger": 2}
"""What the checksums of links begin with."""

_pack: Final = msgspec.msgpack.Encoder().encode

_WHOLE: Final = """
owner node network blob item alias orders order_body order_revision hold person decision reservation
fulfillment_order outbox inbox cursor tombstone amendment package line_exclusion item_exclusion
return_order return_line task straggler published cover shortfall waiting awaited_item asked_hold
offer trouble unread elsewhere elsewhere_line kept_return correction
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


FOR_GOOD: Final = -(2**62)
"""In place of when a reservation expires: never."""


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


def linking(table: str) -> tuple[Callable[[Any], bytes], Callable[[bytes, int], int], int]:
    """What `link_of` is made of, for who makes many: how to pack, the checksum, what it starts
    with."""
    return _pack, crc32, _LINK[table]


def sealer(table: str) -> Callable[[Rows], list[tuple[Any, ...]]]:
    """What puts beside whole rows of a table what stands there: ``(..., seal)``, or
    ``(..., salt, seal)``. Rows of `CHAINED` tables lose their number, which the database assigns.

    Python's driver looks for an adapter whenever it is given None or bytes, which costs more than
    the rest of a row. So in what every order writes bytes go as a bytearray, and where a
    reservation does not expire it says `FOR_GOOD`.
    """
    special = _SPECIAL.get(table)
    if special is not None:
        return special
    if table in DIGESTED:
        return _digested
    pick = _PICKED.get(table)
    return _checked if pick is None else partial(sealed_by, pick)


def _salted(rows: Rows) -> list[tuple[Any, ...]]:
    salts = ((row, secrets.randbits(63)) for row in rows)
    return [(*row, salt, digest_of(salt, *row)) for row, salt in salts]


def _digested(rows: Rows) -> list[tuple[Any, ...]]:
    return [(*row, digest_of(*row)) for row in rows]


def _decisions(rows: Rows) -> list[tuple[Any, ...]]:
    return [(*row[:4], bytearray(row[4]), digest_of(*row)) for row in rows]


def _bodies(rows: Rows) -> list[tuple[Any, ...]]:
    return [
        (*row[:2], bytearray(row[2]), bytearray(row[3]), row[4], digest_of(*row)) for row in rows
    ]


def _events(rows: Rows) -> list[tuple[Any, ...]]:
    return [
        (
            kind, about, at, bytearray(body), by,
            seal_of(kind, about, at, body, by) if about is None else 0,
        )
        for _, kind, about, at, body, by in rows
    ]  # fmt: skip


def _entries(rows: Rows) -> list[tuple[Any, ...]]:
    about = _ABOUT["ledger"]
    return [(*row[1:], seal_of(*row[1:]) if row[about] is None else 0) for row in rows]


def _reservations(rows: Rows) -> list[tuple[Any, ...]]:
    return [(*row[:-1], FOR_GOOD, 0) if row[-1] is None else (*row, seal_of(*row)) for row in rows]


_SPECIAL: Final[dict[str, Callable[[Rows], list[tuple[Any, ...]]]]] = {
    "person": _salted,
    "decision": _decisions,
    "order_body": _bodies,
    "event": _events,
    "ledger": _entries,
    "reservation": _reservations,
}


def _checked(rows: Rows) -> list[tuple[Any, ...]]:
    return [(*row, crc32(_pack(row))) for row in rows]


def sealed_by(
    pick: Callable[[Sequence[Any]], tuple[Any, ...]], rows: Rows
) -> list[tuple[Any, ...]]:
    """Rows with the checksum of what `pick` takes of them."""
    return [(*row, crc32(_pack(pick(row)))) for row in rows]
