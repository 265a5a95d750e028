"""The command line: ``domcore VERB``. A command is a few lines around a verb of `Domcore`."""

from __future__ import annotations

import logging
import sys

from domcore.cli.exits import INTERRUPTED
from domcore.cli.pipes import outlive_readers
from domcore.cli.root import build
from domcore.codec.showing import shown_lines


def main() -> None:
    """Run the command line; the entry point of the ``domcore`` script."""
    outlive_readers()
    handler = logging.StreamHandler()
    handler.setFormatter(_Shown(f"{_line_start()}domcore: %(message)s"))
    handler.addFilter(_of_plugins)
    logging.getLogger("domcore").addHandler(handler)
    try:
        build().main(prog_name="domcore")
    except KeyboardInterrupt:  # before any command has begun
        sys.exit(INTERRUPTED)


class _Shown(logging.Formatter):
    """Messages in which nothing of a stranger steers a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's word
        """One record's line."""
        record.message = shown_lines(record.message)
        return super().formatMessage(record)


def _line_start() -> str:
    """On a terminal, what takes away the progress that may stand on the line."""
    return "\r\033[K" if sys.stderr.isatty() else ""


def _of_plugins(record: logging.LogRecord) -> bool:
    """Whether it is news: what domcore's own parts raise is told as the command's error."""
    return getattr(record, "plugin", "") != "domcore"
