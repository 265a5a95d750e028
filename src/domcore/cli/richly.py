"""Tables through rich, where the extra `rich` is installed and a terminal shows them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

PLAIN: Final = "DOMCORE_PLAIN"
"""The variable that switches it off, if it is set to anything."""

_COLORS: Final = {
    **dict.fromkeys(("shipped", "delivered", "ok", "routed", "active"), "green"),
    **dict.fromkeys(("held", "late", "trouble", "off", "unknown", "parked", "failing"), "red"),
    **dict.fromkeys(("short", "open", "partly allocated", "partly shipped", "stuck"), "yellow"),
    **dict.fromkeys(("rejected", "unreadable"), "red"),
}
"""Words that stand alone in a cell, and their color."""


def wanted() -> bool:
    """Whether tables may be drawn: standard output is a terminal that can, nobody objects, and
    rich is there."""
    if os.environ.get(PLAIN) or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return False
    try:
        import_module("rich.table")
    except ImportError:
        return False
    return True


def drawn(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool], **console: Any
) -> str:
    """The table as text with the terminal's codes; cells are text and nothing else.

    Args:
        rows: cells in which nothing steers a terminal, see `domcore.codec.showing`.
        right: by column, whether it stands to the right.
        console: what rich's console is told, for tests.
    """
    table_of, text_of = import_module("rich.table").Table, import_module("rich.text").Text
    table = table_of(box=import_module("rich.box").SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for title, to_right in zip(titles, right, strict=True):
        table.add_column(
            text_of(title), justify="right" if to_right else "left", no_wrap=to_right,
            overflow="fold",
        )  # fmt: skip
    for row in rows:
        table.add_row(*(text_of(cell, style=_COLORS.get(cell, "")) for cell in row))
    screen = import_module("rich.console").Console(**console)
    with screen.capture() as capture:
        screen.print(table)
    text: str = capture.get()
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
