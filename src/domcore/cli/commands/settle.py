"""``domcore settle TROUBLE...``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from domcore.cli.exits import DONE, FAILED, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean
from domcore.cli.verb import verb
from domcore.errors import NotFound


@verb(
    "domcore settle trouble/12-1",
    'domcore settle trouble/12-1 trouble/15-1 --by kim --note "sent again by courier"',
    exits=(PARTIAL,),
    writes=True,
)
@click.argument("names", metavar="TROUBLE...", nargs=-1, required=True)
@click.option("--note", default="", help="What was done; no personal data.")
def command(run: Invocation, names: Sequence[str], note: str) -> int:
    """Be done with trouble that `domcore exceptions` shows: somebody has seen to it.

    Nothing else changes; the timeline says who it was. Exit code 4 says that some of it does not
    stand, or not any more.
    """
    done, refused = 0, 0
    with run.open() as dom:
        for name in names:
            try:
                settled = dom.settle(name, note=note)
            except NotFound as error:
                if len(names) == 1:
                    raise
                refused += 1
                run.out.note(clean(f"{name}: {error}"))
            else:
                done += 1
                run.out.say(clean(f"Settled {settled.id}: {settled.note}"))
    if run.out.as_json:
        run.out.object({"settled": done, "refused": refused})
    if refused:
        return PARTIAL if done else FAILED
    return DONE
