"""Keeps the planning snapshot in step with the store: what is asked for, then only changes."""

from __future__ import annotations

from collections.abc import Iterable

from domcore.sourcing.field import Field
from domcore.sourcing.supply import Supply
from domcore.store.protocol import Store

FETCH_AT_ONCE = 500
"""SKUs per read of the store."""


class SupplyCache:
    """The snapshot of one application.

    What this application plans is taken from the snapshot at once; what other connections write
    is noticed by `Store.changes_elsewhere` and read from the ledger's tail.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._supply: Supply | None = None
        self._cursor = 0
        self._seen_elsewhere = 0
        self._seen_writes = 0

    @property
    def supply(self) -> Supply:
        """The snapshot as it stands; reads the network when there is none yet."""
        if self._supply is None:
            self._seen_elsewhere = self._store.changes_elsewhere()
            self._seen_writes = self._store.writes()
            self._cursor = self._store.stock_cursor()
            stored = self._store.network()
            self._supply = Supply(Field(stored.network, stored.node_ids, stored.digest))
        return self._supply

    @property
    def field(self) -> Field:
        """The network, compiled."""
        return (self._supply or self.supply).field

    def forget(self) -> None:
        """Drop everything: the network, items or stock were written whole."""
        self._supply = None

    def committed(self) -> None:
        """A decision of ours, taken from the snapshot already, has been written."""
        self._seen_writes += 1

    def refresh(self) -> None:
        """Catch up with what others have written since the last look.

        Balances come from the ledger's tail. Items have none, so they are read anew when they
        are next asked for.
        """
        supply, store = self._supply or self.supply, self._store
        elsewhere, writes = store.changes_elsewhere(), store.writes()
        if elsewhere == self._seen_elsewhere and writes == self._seen_writes:
            return
        self._seen_elsewhere, self._seen_writes = elsewhere, writes
        if self._store.network().digest != supply.field.digest:
            self.forget()
            return
        supply.items.clear()
        self.reread()

    def reread(self) -> None:
        """Read the balances that have changed, whoever changed them."""
        if self._supply is None:
            # It is read as it stands when it is first asked for.
            return
        self._cursor, rows = self._store.stock_since(self._cursor)
        self.supply.put_rows(rows)

    def fetch(self, owner: str, skus: Iterable[str]) -> None:
        """Have these SKUs in the snapshot, as far as they exist."""
        supply = self.supply
        known = supply.items
        missing = sorted({sku for sku in skus if (owner, sku) not in known})
        for start in range(0, len(missing), FETCH_AT_ONCE):
            found = self._store.items(owner, missing[start : start + FETCH_AT_ONCE])
            item_ids = [
                entry.item_id for entry in found.values() if entry.item_id not in supply.available
            ]
            supply.expect(item_ids)
            supply.put_rows(self._store.stock_of(item_ids))
            supply.put_items(
                owner, ((sku, (entry.item_id, entry.item)) for sku, entry in found.items())
            )
