"""Amendments that tell only a difference, and whether their orders know of them."""

from __future__ import annotations

from typing import Final

from domcore.errors import StoreError
from domcore.store.operations.amendments import LATEST, Identity, read_lines
from domcore.store.rows import MOST, AmendmentRow
from domcore.verify.catalog import Catalog
from domcore.verify.dossier import Read
from domcore.verify.source import Source
from domcore.verify.violation import Violations, broken


class Amendments:
    """All of them by order; there are far fewer than orders."""

    def __init__(self) -> None:
        self._kept: Final[dict[Identity, list[tuple[int, bytes]]]] = {}

    def check(self, source: Source, catalog: Catalog) -> Violations:
        """Read and check them one by one."""
        for row in map(AmendmentRow._make, source.rows("amendment")):
            place = f"amendment {row.name} of {row.channel}/{row.external_id}"
            if row.owner_id not in catalog.owners:
                yield broken("reference", place, "belongs to an owner that is not there")
            wrong = _wrong(row)
            if wrong:
                yield broken("format", place, wrong)
            else:
                self._kept.setdefault(row[:3], []).append((row.revision, row.body))

    def check_order(self, found: Read) -> Violations:
        """Whether what is later than the last whole revision has been taken off."""
        stored = found.papers.bodies[0]
        if not 0 <= stored.heard <= stored.revision:
            yield broken("I9", found.place, "has heard of a revision that is not there")
        kept = self._kept.get(found.papers.order[1:4], ())
        wanted = {line.id for line in found.body.lines if line.quantity} if kept else set()
        for revision, body in kept:
            # It has made a revision of its own, if there was anything to take off.
            if stored.heard < revision > stored.revision and any(
                line_id in wanted for line_id, _ in read_lines(body)
            ):
                yield broken("I9", found.place, f"the amendment at {revision} was not taken off")


def _wrong(row: AmendmentRow) -> str:
    """What is wrong with an amendment by itself; empty where nothing is."""
    try:
        lines = read_lines(row.body)
    except StoreError:
        return "its lines cannot be read"
    if not row.name or not 0 <= row.revision <= LATEST:
        return "has no name, or an impossible revision"
    if any(not 1 <= units <= MOST for _, units in lines):
        return "takes off an impossible number of units"
    return ""
