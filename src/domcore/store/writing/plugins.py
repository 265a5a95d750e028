"""Which plugins have worked on a store, so that one that judges is missed when it is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domcore.store.changes import Changes
from domcore.store.rows import CursorRow
from domcore.store.writing.common import Writes

PLUGIN: Final = "plugin:"
"""Before a plugin's name: the row of ``cursor`` that says what is known of it, one of `NOTES`."""

GONE, INSTALLED, GIVEN, HARMLESS = NOTES = range(4)
"""It is gone for good; it judges, and was installed; it judges, and the application gave it; it
judges nothing."""

_MOST: Final = 10_000


class PluginWrites(Writes):
    """Notes on plugins."""

    def known_plugins(self) -> dict[str, int]:
        """See `Store.known_plugins`."""
        with self._backend.reading():
            rows = self._backend.page("cursor", CursorRow._fields, (PLUGIN,), _MOST)
        found = map(CursorRow._make, rows)
        return {
            row.consumer.removeprefix(PLUGIN): row.seq
            for row in found
            if row.consumer.startswith(PLUGIN)
        }

    def note_plugins(self, notes: Mapping[str, int]) -> None:
        """See `Store.note_plugins`."""
        changes = Changes()
        for name, note in sorted(notes.items()):
            if note not in NOTES:
                raise ValueError(f"no note on a plugin: {note}")
            changes.add("cursors", (PLUGIN + name, note))
        with self._backend.writing():
            self._backend.apply(changes)
