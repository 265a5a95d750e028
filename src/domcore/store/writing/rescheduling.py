"""Moving what is due later than any wait explains."""

from __future__ import annotations

from domcore.store.changes import Changes
from domcore.store.operations.rescheduling import look, reschedule
from domcore.store.values import Rescheduled
from domcore.store.writing.common import Writes


class ReschedulingWrites(Writes):
    """Once in every round of work: a look, and nothing is written where all is well."""

    def reschedule(self, *, now: int, latest: int) -> Rescheduled | None:
        """See `Store.reschedule`."""
        backend = self._backend
        with backend.reading():
            if not look(backend, now, latest).found:
                return None
        changes = Changes()
        with backend.writing():
            late = look(backend, now, latest)
            if not late.found:
                return None
            told = reschedule(late, changes, now, latest)
            backend.apply(changes)
        return told
