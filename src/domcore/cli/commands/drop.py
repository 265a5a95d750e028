"""``domcore drop ID...``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from domcore.cli.exits import DONE, FAILED, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean, times
from domcore.cli.verb import verb
from domcore.errors import ConflictError, NotFound


@verb("domcore drop outbox/12", "domcore drop event/acme/340", exits=(PARTIAL,), writes=True)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def command(run: Invocation, ids: Sequence[str]) -> int:
    """Give up on parked work.

    An event or a piece of news is skipped. A release counts as rejected, so its units are routed
    again; one of which nobody knows whether the node has it cannot be dropped.
    """
    done, refused = 0, 0
    with run.open() as dom:
        for name in ids:
            try:
                dom.drop(name)
            except (ConflictError, NotFound) as error:
                if len(ids) == 1:
                    raise
                refused += 1
                run.out.note(clean(f"{name}: {error}"))
            else:
                done += 1
    if run.out.as_json:
        run.out.object({"dropped": done, "refused": refused})
    run.out.say(f"Gave up on {times(done, 'piece')}.")
    if refused:
        return PARTIAL if done else FAILED
    return DONE
