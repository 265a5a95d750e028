"""Whether two orders have the same identity, without holding all of them in memory."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Final

from domcore.store.rows import OrderRow
from domcore.verify.source import Source
from domcore.verify.spool import Spool
from domcore.verify.violation import Violations, broken


class Identities:
    """Sorts the hashes of all identities; only where two are equal the orders are read again."""

    def __init__(self) -> None:
        self._hashes: Final = Spool()

    def add(self, order: OrderRow) -> None:
        """Take in one order."""
        self._hashes.add((hash(order[1:4]), order.id))

    def check(self, source: Source) -> Violations:
        """All of them have been taken in."""
        doubtful: set[int] = set()
        for _, rows in groupby(self._hashes.sorted(), itemgetter(0)):
            same = [order_id for _, order_id in rows]
            if len(same) > 1:
                doubtful.update(same)
        if not doubtful:
            return
        first: dict[tuple[int, str, str], int] = {}
        for order in map(OrderRow._make, source.rows("orders")):
            if order.id in doubtful and first.setdefault(order[1:4], order.id) != order.id:
                place = f"order {order.id} ({order.channel}/{order.external_id})"
                yield broken("I10", place, f"is the same order as {first[order[1:4]]}")

    def close(self) -> None:
        """Give temporary files back."""
        self._hashes.close()
