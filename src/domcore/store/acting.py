"""For whom a store acts: what its thread writes meanwhile is caused by them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from domcore.model.actor import checked_by


class Acting(threading.local):
    """One name for each thread; empty until somebody is named."""

    by = ""

    @contextmanager
    def as_by(self, by: str) -> Iterator[None]:
        """Act for somebody inside the block.

        Raises:
            PayloadError: `by` is no name.
        """
        before, self.by = self.by, checked_by(by)
        try:
            yield
        finally:
            self.by = before
