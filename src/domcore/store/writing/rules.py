"""Noting that other rules are in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domcore.codec.stored import dump_event
from domcore.store.changes import Changes
from domcore.store.rows import CursorRow
from domcore.store.writing.common import Writes

IN_FORCE: Final = "rules:in-force"
"""The row of ``cursor`` that says for which rules it was told last."""

RULES_CHANGED: Final = "rules.changed"


class RulesWrites(Writes):
    """Once for each change of packs, whichever of several workers takes it up first."""

    def note_rules(self, *, digest: int, told: Mapping[str, object], now: int) -> bool:
        """See `Store.note_rules`."""
        with self._backend.reading():
            if self._told_last() == digest:
                return False
        changes = Changes()
        with self._backend.writing():
            if self._told_last() == digest:
                return False
            changes.add("cursors", (IN_FORCE, digest))
            changes.add("events", (None, RULES_CHANGED, None, now, dump_event(dict(told))))
            self._backend.apply(changes)
        return True

    def _told_last(self) -> int | None:
        rows = self._backend.select("cursor", "consumer", [IN_FORCE])
        return next((row.seq for row in map(CursorRow._make, rows)), None)
