"""Standard output and standard error that survive their reader, as in ``domcore stock | head``.

What nobody reads any more is dropped, and the command goes on to its end: work that has begun is
not cut off half-way, and the exit code is that of the work.
"""

from __future__ import annotations

import io
import select
import sys
from typing import TextIO


class Patient(io.FileIO):
    """A file descriptor that swallows what is written after its reader has gone."""

    gone = False

    def write(self, data: object, /) -> int:
        """Write, or pretend to."""
        if not self.gone:
            try:
                return super().write(data)  # type: ignore[arg-type]
            except BrokenPipeError:
                self.gone = True
        return memoryview(data).nbytes  # type: ignore[arg-type]


def outlive_readers() -> None:
    """Make ``sys.stdout`` and ``sys.stderr`` patient."""
    sys.stdout = _patient(sys.stdout)
    sys.stderr = _patient(sys.stderr)


def reader_gone() -> bool:
    """Whether nobody reads standard output any more."""
    buffer = getattr(sys.stdout, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    return isinstance(raw, Patient) and raw.gone


def reader_left() -> bool:
    """Whether nobody reads standard output any more, found out without writing anything."""
    sys.stdout.flush()
    if reader_gone():
        return True
    try:
        waiting = select.poll()
        waiting.register(sys.stdout.fileno(), 0)
    except (AttributeError, OSError, ValueError):
        # No polling on this system, or standard output is no file: the next write will tell.
        return False
    return any(found & (select.POLLERR | select.POLLNVAL) for _, found in waiting.poll(0))


def _patient(stream: TextIO) -> TextIO:
    """The stream anew on the same descriptor; itself where it has none, or is no file."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    try:
        raw = Patient(stream.fileno(), "w", closefd=False)
    except (OSError, ValueError):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
