"""``domcore verify``."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

import click

from domcore.cli.exits import DONE, FAILED
from domcore.cli.invocation import Invocation
from domcore.cli.output import Column, times
from domcore.cli.verb import verb

_COLUMNS: Final = (
    Column("INVARIANT", "invariant"),
    Column("PLACE", "place"),
    Column("WHAT IS WRONG", "message"),
)


@verb("domcore verify", "domcore verify --json")
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="Stop after so many."
)
def command(run: Invocation, limit: int) -> int:
    """Check the store against its invariants, row by row.

    Exit code 1 says that something is broken. Nothing is repaired. With --json, one line per
    violation and a last one with their number.
    """
    with run.open() as dom:
        rows = [_row(each) for each in islice(dom.verify(), limit)]
    if run.out.as_json:
        for row in rows:
            run.out.object(row)
        run.out.object({"violations": len(rows), "clean": not rows})
        return FAILED if rows else DONE
    if not rows:
        run.out.say("Every invariant holds.")
        return DONE
    run.out.rows(_COLUMNS, rows, empty="")
    bound = "at least " if len(rows) == limit else ""
    run.out.note(f"{bound}{times(len(rows), 'violation')}")
    return FAILED


def _row(violation: Any) -> dict[str, str]:
    return {
        "invariant": violation.invariant,
        "place": violation.place,
        "message": violation.message,
    }
