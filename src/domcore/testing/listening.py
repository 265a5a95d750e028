"""Everything that is logged meanwhile, as a log file would hold it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Ear(logging.Handler):
    """Keeps every record as text, tracebacks and extra fields included."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.heard.append(f"{logging.Formatter().format(record)} {record.__dict__}")


@contextmanager
def listening() -> Iterator[Callable[[], list[str]]]:
    """Hear every logger that passes its records on, at every level."""
    root, ear = logging.getLogger(), _Ear()
    before = root.level
    root.addHandler(ear)
    root.setLevel(logging.NOTSET)
    try:
        yield lambda: list(ear.heard)
    finally:
        root.setLevel(before)
        root.removeHandler(ear)
