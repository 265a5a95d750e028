"""Progress on a terminal, for what lasts."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Final, Self

import click

from domcore.cli.output import Output

PATIENCE: Final = 1.0
"""Seconds before anything is shown."""

_EVERY: Final = 0.1


class Progress:
    """Counts steps on standard error; silent where that is no terminal, or when it is quick.

    Args:
        label: what is being done.
        total: how many steps there will be: a bar; None is a running count.
        patience: seconds before it shows.
        out: what else writes meanwhile; it then begins on an empty line.
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        patience: float = PATIENCE,
        out: Output | None = None,
    ) -> None:
        self._label = label
        self._total = total
        self._shown_from = time.monotonic() + patience
        self._next = self._shown_from
        self._terminal = sys.stderr.isatty()
        self._bar: Any = None
        self._drawn = False
        self._out = out
        self.done = 0

    def __enter__(self) -> Self:
        if self._out is not None:
            self._out.unfinished = self.clear
        return self

    def step(self, *_: object) -> None:
        """One more is done."""
        self.advance(1)

    def advance(self, steps: int) -> None:
        """So many more are done."""
        self.done += steps
        if self._terminal and time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY
            self._show()

    def clear(self) -> None:
        """Take the line away; the next step draws it again."""
        if self._drawn:
            self._drawn = False
            click.echo("\r\033[K", nl=False, file=sys.stderr)

    def _show(self) -> None:
        self._drawn = True
        if self._total is None:
            click.echo(f"\r{self._label} {self.done:,}", nl=False, file=sys.stderr)
            return
        if self._bar is None:
            self._bar = click.progressbar(
                length=self._total, label=self._label, file=sys.stderr, show_pos=True
            )
            self._bar.__enter__()
        self._bar.update(self.done - self._bar.pos)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._out is not None:
            self._out.unfinished = None
        if self._bar is not None:
            self._bar.update(self.done - self._bar.pos)
            self._bar.__exit__(None, None, None)
        else:
            self.clear()
