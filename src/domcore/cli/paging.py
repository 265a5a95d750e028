"""Options of lists: how much, and from where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from domcore.cli.invocation import Invocation

MOST: Final = 10_000

limit: Final = click.option(
    "--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="Rows on a page."
)


def after(what: str) -> Callable[[Any], Any]:
    """The option that says where the page begins."""
    return click.option("--after", metavar="CURSOR", help=f"Begin after this: {what}.")


def more(run: Invocation, cursor: str) -> None:
    """Say on standard error how the next page is had."""
    run.out.note(f"There may be more: --after {cursor}")
