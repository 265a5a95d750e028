"""Trouble that people look at and work off."""

from __future__ import annotations

from domcore.codec.text import is_text
from domcore.errors import NotFound, PayloadError, Problem
from domcore.store.changes import Changes
from domcore.store.operations.outbox import fulfillment_id
from domcore.store.operations.troubles import Troubles, lines_of, trouble_id
from domcore.store.rows import TroubleRow
from domcore.store.values import Trouble
from domcore.store.writing.common import Writes

_PREFIX = "trouble/"


class TroubleWrites(Writes):
    """The trouble of orders."""

    def troubles(self, order_id: int) -> list[Trouble]:
        """See `Store.troubles`."""
        with self._backend.reading():
            rows = self._backend.select("trouble", "order_id", [order_id])
            nodes = self._backend.nodes()
        return [_shown(TroubleRow._make(row), nodes) for row in rows]

    def settle_trouble(self, name: str, *, by: str, note: str = "", now: int) -> Trouble:
        """See `Store.settle_trouble`."""
        backend, changes = self._backend, Changes(by)
        order_id, number = _split(name)
        if not is_text(note):
            raise PayloadError("this cannot be settled", [Problem("$.note", "is no text")])
        with backend.writing():
            troubles = Troubles(backend, changes, order_id, now)
            found = [row for row in troubles.rows if row.number == number]
            if not found or found[0].settled_at is not None:
                raise NotFound(f"no trouble that stands is called {name[:100]!r}")
            settled = troubles.settle(found[0], by, note)
            backend.apply(changes)
            return _shown(settled, backend.nodes())


def _shown(row: TroubleRow, nodes: dict[int, str]) -> Trouble:
    node = nodes.get(row.node_id, "")
    work = fulfillment_id(row.order_id, row.sequence, node) if row.node_id else ""
    return Trouble(
        trouble_id(row), row.order_id, row.number, row.kind, work, node, row.at, row.note,
        lines_of(row), row.settled_at, row.settled_by,
    )  # fmt: skip


def _split(name: str) -> tuple[int, int]:
    """``trouble/12-1`` in parts. Raises: NotFound: nothing is called that."""
    order, _, number = name.removeprefix(_PREFIX).partition("-")
    digits = order + number
    plain = digits.isascii() and digits.isdigit() and max(len(order), len(number)) <= 18
    if not (name.startswith(_PREFIX) and order and number and plain):
        raise NotFound(f"no trouble is called {name[:100]!r}; see 'domcore exceptions'")
    return int(order), int(number)
