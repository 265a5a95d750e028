"""Rows that somebody else has changed, and orders whose history is not what was written."""

from __future__ import annotations

from typing import Any, Final

from domcore.errors import StoreError
from domcore.store.rows import StateRow
from domcore.store.seals import CHAIN, SEALS, link_of
from domcore.verify.source import Source
from domcore.verify.spool import Grouped, Tally
from domcore.verify.violation import Violations, broken

_NOTES: Final = {
    "person": "the name or address of this order was changed, or is another order's",
    "decision": "the record of this decision is not what was decided",
    "order_body": "what was ordered was changed: a line, a price, the destination or a revision",
    "order_revision": "an earlier revision of what was ordered was changed",
    "ledger": "a count or another movement of stock was changed",
    "event": "what happened to stock was changed",
}
"""What a broken seal means, where more can be said than that the row was changed."""


def check_seals(source: Source) -> Violations:
    """Every sealed row of every table."""
    for table in SEALS:
        try:
            yield from _check_table(source, table)
        except StoreError as error:
            message = f"a cell of it cannot be read, such as text that is not UTF-8: {error}"
            yield broken("integrity", table, message)


def _check_table(source: Source, table: str) -> Violations:
    note = _NOTES.get(table, "a column of it was changed")
    for key in source.unsealed(table):
        place = f"{table} {'/'.join(map(str, key))}"
        yield broken("seal", place, f"is not as it was written: {note}")


class Chains:
    """Adds up the links of every order, to be compared with the chain its state keeps."""

    def __init__(self) -> None:
        self._links: Final = Tally(1)
        self._sums: Grouped | None = None

    def add(self, table: str, order_id: int, row: tuple[Any, ...]) -> None:
        """Take in an event or an entry of the ledger that is about an order."""
        self._links.add((order_id,), (link_of(table, row),))

    def check(self, state: StateRow, place: str) -> Violations:
        """The state of one order; all links have been taken in, and the orders' ids rise."""
        if self._sums is None:
            self._sums = Grouped((key[0], *sums) for key, sums in self._links.sorted())
        links = sum(row[1] for row in self._sums.take(state.order_id)) % CHAIN
        self._sums.strays.clear()  # what belongs to no order is told by others
        if links != state.chain:
            message = "an event or a ledger entry of it was changed, added or lost"
            yield broken("chain", place, f"its history is not what was written: {message}")

    def close(self) -> None:
        """Give temporary files back."""
        self._links.close()
