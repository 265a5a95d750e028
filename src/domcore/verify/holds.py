"""Holds that were asked for, and whether their orders stand by them."""

from __future__ import annotations

from typing import Final

from domcore.store.hold_rows import LIFTED, STANDING, WAIVED, AskedHoldRow
from domcore.store.operations.asked import Identity, hold_problems, revision_problems
from domcore.verify.catalog import Catalog
from domcore.verify.dossier import Read
from domcore.verify.source import Source
from domcore.verify.violation import Violations, broken


class AskedHolds:
    """All of them by order; there are far fewer than orders."""

    def __init__(self) -> None:
        self._asked: Final[dict[Identity, dict[str, AskedHoldRow]]] = {}

    def check(self, source: Source, catalog: Catalog) -> Violations:
        """Read and check them one by one."""
        for row in map(AskedHoldRow._make, source.rows("asked_hold")):
            place = f"hold {row.code} asked for of {row.channel}/{row.external_id}"
            if row.owner_id not in catalog.owners:
                yield broken("reference", place, "belongs to an owner that is not there")
            if row.state not in (LIFTED, STANDING, WAIVED) or row.whole not in (0, 1):
                yield broken("I9", place, "neither stands nor is lifted")
            if row.state == LIFTED and (row.whole, row.stage, row.reason) != (0, "release", ""):
                yield broken("I9", place, "is lifted, but says why it stands")
            problems = hold_problems("$", row.code, row.reason, row.stage)
            for problem in (*problems, *revision_problems(row.revision)):
                yield broken("format", place, str(problem))
            identity = (row.owner_id, row.channel, row.external_id)
            self._asked.setdefault(identity, {})[row.code] = row

    def check_order(self, found: Read) -> Violations:
        """Whether exactly what stands of it is a hold of the present revision."""
        asked = self._asked.get(found.papers.order[1:4])
        if asked is None or found.state.cancelled:
            return
        holds = {
            row.code: row
            for row in found.papers.holds
            if row.revision == found.state.revision and row.approved_at is None
        }
        for code, row in asked.items():
            hold = holds.get(code)
            if (row.state == STANDING) != (hold is not None):
                what = "is asked for, but does not stand" if hold is None else "stands, but is over"
                yield broken("I9", found.place, f"hold {code} {what}")
            elif hold is not None and (hold.stage, hold.reason) != (row.stage, row.reason):
                yield broken("I9", found.place, f"hold {code} is not the one that was asked for")
