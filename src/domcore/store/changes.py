"""What one transaction writes: rows by kind of write, worked out before anything is touched.

An operation is a pure function from what was read to a `Changes`; a backend carries it out in one
transaction. So two backends cannot think differently. `WRITES` says what each kind of write does,
once, for all backends; they are carried out in its order.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, Literal

from attrs import frozen

from domcore.model.actor import checked_by
from domcore.store.chains import chain_up
from domcore.store.waiting_rows import WaitingRow

Row = tuple[Any, ...]


@frozen(slots=True)
class Write:
    """One kind of write to one table. Every row of it must hit exactly one row of the table.

    * ``insert``: the whole row.
    * ``upsert``: the whole row; one with the same key is replaced.
    * ``set``: amounts to add to `sums` (modulo `CHAIN`), the values of `columns`, then those of
      `where`, all of which must be equal.
    * ``delete``: the key.
    * ``add``: amounts to add to `columns`, then the values of `where`.
    * ``take``: ``(quantity, item_id, node_id, need, quantity)``: reserve where what is available
      covers `need` (quantity and floor), and quantity and safety stock.
    * ``allocate``: ``(quantity, quantity, order_id, line_no, item_id, quantity)``: from open to
      allocated, where so much is open.

    `failure` is what a missed row means: ``stale`` (StaleSupply), ``conflict`` (ConflictError).
    """

    table: str
    kind: Literal["insert", "upsert", "set", "add", "delete", "take", "allocate"]
    columns: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    failure: Literal["stale", "conflict"] = "conflict"
    sums: tuple[str, ...] = ()


_EVENTS: Final = "events"
_STOCK: Final = ("item_id", "node_id")
_LINE: Final = ("order_id", "line_no")
_RESERVATION: Final = ("order_id", "sequence", "line_no", "node_id", "part")
_WORK: Final = ("order_id", "sequence", "node_id")

WRITES: Final[dict[str, Write]] = {
    "owners": Write("owner", "insert"),
    "blobs": Write("blob", "insert"),
    "nodes": Write("node", "upsert"),
    "network": Write("network", "upsert"),
    "items": Write("item", "upsert"),
    "aliases": Write("alias", "upsert"),
    "take_stock": Write("stock", "take", failure="stale"),
    "new_stock": Write("stock", "insert"),
    "move_stock": Write("stock", "add", ("on_hand", "reserved", "blocked", "safety"), _STOCK),
    "counted": Write("stock", "set", ("counted_at",), _STOCK),
    "shortfalls": Write("shortfall", "upsert"),
    "forget_shortfalls": Write("shortfall", "delete"),
    "ledger": Write("ledger", "insert"),
    "orders": Write("orders", "insert"),
    "order_numbers": Write("orders", "set", ("number", "placed_at"), ("id",)),
    "bodies": Write("order_body", "upsert"),
    "old_bodies": Write("order_revision", "insert"),
    "states": Write("order_state", "insert"),
    "route_states": Write(
        "order_state",
        "set",
        ("version", "sequence", "hold", "retry_at", "reason"),
        ("order_id", "version", "sequence", "cancelled", "hold", "reason"),
        sums=("chain",),
    ),
    "next_states": Write(
        "order_state",
        "set",
        ("version", "revision", "hold", "cancelled", "retry_at", "reason"),
        ("order_id", "version"),
        sums=("chain",),
    ),
    "chains": Write("order_state", "set", (), ("order_id",), sums=("chain",)),
    "wake_states": Write("order_state", "set", ("retry_at",), ("order_id", "version")),
    "waiting": Write("waiting", "upsert"),
    "forget_waiting": Write("waiting", "delete"),
    "lines": Write("order_line", "insert"),
    "allocate_lines": Write("order_line", "allocate"),
    "set_lines": Write(
        "order_line",
        "set",
        ("item_id", "ordered", "open", "allocated", "shipped", "cancelled", "wanted"),
        _LINE,
    ),
    "holds": Write("hold", "upsert"),
    "forget_holds": Write("hold", "delete"),
    "approvals": Write(
        "hold", "set", ("approved_at", "approved_by"), ("order_id", "revision", "code")
    ),
    "asked_holds": Write("asked_hold", "upsert"),
    "persons": Write("person", "upsert"),
    "forget_persons": Write("person", "delete"),
    "decisions": Write("decision", "insert"),
    "reservations": Write("reservation", "insert"),
    "set_reservations": Write(
        "reservation", "set", ("quantity", "state", "expires_at"), (*_RESERVATION, "state")
    ),
    "fulfillment_orders": Write("fulfillment_order", "insert"),
    "set_fulfillment_orders": Write(
        "fulfillment_order", "set", ("status", "handed_over", "reference"), _WORK
    ),
    "packages": Write("package", "upsert"),
    "line_exclusions": Write("line_exclusion", "upsert"),
    "forget_line_exclusions": Write("line_exclusion", "delete"),
    "item_exclusions": Write("item_exclusion", "upsert"),
    "forget_item_exclusions": Write("item_exclusion", "delete"),
    "events": Write("event", "insert"),
    "outbox": Write("outbox", "insert"),
    "vendor_words": Write("fulfillment_order", "set", ("news_at", "vendor_status"), _WORK),
    "set_outbox": Write("outbox", "set", ("due_at", "attempts", "done_at", "note"), ("id",)),
    "doubt_outbox": Write(
        "outbox", "set", ("unknown", "parked_at", "called_at", "connector"), ("id",)
    ),
    "inbox": Write("inbox", "insert"),
    "cursors": Write("cursor", "upsert"),
    "tombstones": Write("tombstone", "upsert"),
    "amendments": Write("amendment", "insert"),
    "corrections": Write("correction", "upsert"),
    "forget_corrections": Write("correction", "delete"),
    "awaited_items": Write("awaited_item", "upsert"),
    "forget_awaited_items": Write("awaited_item", "delete"),
    "elsewhere": Write("elsewhere", "upsert"),
    "elsewhere_lines": Write("elsewhere_line", "upsert"),
    "forget_elsewhere_lines": Write("elsewhere_line", "delete"),
    "returns": Write("return_order", "insert"),
    "set_returns": Write("return_order", "set", ("node_id", "closed_at"), ("id",)),
    "return_lines": Write("return_line", "insert"),
    "set_return_lines": Write(
        "return_line", "set", ("restocked", "blocked", "written_off"), ("return_id", "line_no")
    ),
    "kept_returns": Write("kept_return", "insert"),
    "set_kept_returns": Write("kept_return", "set", ("settled_at", "settled"), ("id",)),
    "tasks": Write("task", "upsert"),
    "forget_unread": Write("unread", "delete"),
    "stragglers": Write("straggler", "upsert"),
    "unread": Write("unread", "insert"),
    "forget_stragglers": Write("straggler", "delete"),
    "offers": Write("offer", "upsert"),
    "published": Write("published", "upsert"),
    "forget_published": Write("published", "delete"),
    "troubles": Write("trouble", "insert"),
    "set_troubles": Write("trouble", "set", ("settled_at", "settled_by"), ("order_id", "number")),
    "covers": Write("cover", "upsert"),
    "forget_covers": Write("cover", "delete"),
}
"""Every kind of write by the name of its list in `Changes`, in the order they are carried out."""


class Changes:
    """The rows one transaction writes. Each list is named and described in `WRITES`.

    Events are added without their last column, `by`: it is what `Changes.by` is then; where that is
    empty, whoever the store acts for when they are written (`Store.acting`).

    What happened to orders is added to their chains (`domcore.store.seals`) when it is sealed: by
    the write of the order's state, or one of its own where nothing else of it changes.

    Args:
        by: who causes what happens.

    Raises:
        PayloadError: `by` is no name.
    """

    __slots__ = ("_chained", "_moves", "_short", "by", "left", "offered", "rows")

    def __init__(self, by: str = "") -> None:
        self.rows: Final[dict[str, list[Row]]] = {}
        self._moves: dict[tuple[int, int], list[int]] = {}
        self._short: dict[tuple[int, int], list[int]] = {}
        self.offered: Final[set[int]] = set()
        """Items of which channels may sell more or less, other than by a move of their stock."""
        self.left: Final[list[WaitingRow]] = []
        """Rows of orders that were woken and give their turn up undecided, with units for which
        they do."""
        self._chained = False
        self.by = by if by == "" else checked_by(by)

    def add(self, write: str, row: Row) -> None:
        """Write one row."""
        if write == _EVENTS:
            row = (*row, self.by)
        self.rows.setdefault(write, []).append(row)

    def add_all(self, write: str, rows: list[Row]) -> None:
        """Write many rows; the list is given away."""
        if not rows:
            return
        if write == _EVENTS:
            rows = [(*row, self.by) for row in rows]
        known = self.rows.get(write)
        if known is None:
            self.rows[write] = rows
        else:
            known.extend(rows)

    def move(
        self,
        key: tuple[int, int],
        kind: str,
        at: int,
        *,
        on_hand: int = 0,
        reserved: int = 0,
        blocked: int = 0,
        safety: int = 0,
        order_id: int | None = None,
        sequence: int | None = None,
    ) -> None:
        """Change a balance by signed amounts and put it in the ledger."""
        amounts = (on_hand, reserved, blocked, safety)
        if not any(amounts):
            return
        total = self._moves.setdefault(key, [0, 0, 0, 0])
        for place, amount in enumerate(amounts):
            total[place] += amount
        self.add("ledger", (None, *key, *amounts, kind, order_id, sequence, at))

    def moved_keys(self) -> list[tuple[int, int]]:
        """The balances that have been changed so far."""
        return list(self._moves)

    def moved(self, key: tuple[int, int]) -> tuple[int, int, int]:
        """How much has come on hand, been reserved and been blocked so far, in truth: without what
        only the books say (`fall_short`)."""
        on_hand, reserved, blocked, _ = self._moves.get(key, (0, 0, 0, 0))
        missing, unfit = self._short.get(key, (0, 0))
        return on_hand - missing, reserved, blocked + unfit

    def fall_short(self, key: tuple[int, int], at: int, *, missing: int, unfit: int) -> None:
        """Change by signed units what the books say beyond what is there; see `ShortfallRow`."""
        known = self._short.setdefault(key, [0, 0])
        known[0] += missing
        known[1] += unfit
        self.move(key, "shortfall", at, on_hand=missing, blocked=-unfit)

    def fallen_short(self, key: tuple[int, int]) -> tuple[int, int]:
        """By how much `missing` and `unfit` of a balance have been changed so far."""
        missing, unfit = self._short.get(key, (0, 0))
        return missing, unfit

    def more_to_draw(self, key: tuple[int, int]) -> int:
        """How many more units of a balance can be drawn than before; below zero, fewer."""
        on_hand, reserved, blocked, safety = self._moves.get(key, (0, 0, 0, 0))
        return on_hand - reserved - blocked - safety

    def gained(self, nodes: Collection[int]) -> dict[int, int]:
        """Units by item that can be drawn now and could not before, at these nodes."""
        found: dict[int, int] = {}
        for key in self._moves:
            more = self.more_to_draw(key)
            if more > 0 and key[1] in nodes:
                found[key[0]] = found.get(key[0], 0) + more
        return found

    def seal(self, by: str = "") -> dict[str, list[Row]]:
        """All rows by kind of write; one stock row per balance, in key order (no deadlocks).

        A new balance is written once, with what has moved to it. Events that nobody is said to have
        caused are caused by `by`.
        """
        if by and _EVENTS in self.rows:
            events = self.rows[_EVENTS]
            self.rows[_EVENTS] = [row if row[-1] else (*row[:-1], by) for row in events]
        if self._moves and "new_stock" in self.rows:
            self.rows["new_stock"] = [self._grown(row) for row in self.rows["new_stock"]]
        if self._moves:
            self.rows["move_stock"] = [
                (*amounts, *key) for key, amounts in sorted(self._moves.items()) if any(amounts)
            ]
        if not self._chained:
            self._chained = True
            chain_up(self.rows)
        return self.rows

    def _grown(self, row: Row) -> Row:
        amounts = self._moves.pop(row[:2], None)
        if amounts is None:
            return row
        grown = (known + more for known, more in zip(row[2:6], amounts, strict=True))
        return (*row[:2], *grown, *row[6:])
