"""``domcore retry ID...``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from domcore.cli.exits import DONE, FAILED, NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean, times
from domcore.cli.verb import verb
from domcore.errors import ConflictError, NotFound, PayloadError

MOST = 100_000


@verb(
    "domcore retry outbox/12",
    "domcore retry event/acme/340 outbox/12",
    "domcore retry task/pull:web",
    "domcore retry --all",
    exits=(NOTHING, PARTIAL),
    writes=True,
)
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that is parked.")
def command(run: Invocation, ids: Sequence[str], everything: bool) -> int:
    """Try parked work, or what keeps failing, again, with all its attempts, in the next round of
    `domcore work`.

    A release of unknown outcome is first looked up at the partner; a delivery that could not be
    read is read again at once, and stays where it still cannot be. Exit code 3 says that nothing is
    parked, 4 that some of it could not be tried again.
    """
    if bool(ids) == everything:
        raise click.UsageError("name what to retry, as 'domcore parked' shows it, or say --all")
    done, refused = 0, 0
    with run.open() as dom:
        if everything:
            found = dom.parked(limit=MOST)
            ids = [each.id for each in found if each.parked_at is not None]
        for name in ids:
            try:
                dom.retry(name)
            except (ConflictError, NotFound, PayloadError) as error:
                if not everything and len(ids) == 1:
                    raise
                refused += 1
                run.out.note(clean(f"{name}: {error}"))
            else:
                done += 1
    if run.out.as_json:
        run.out.object({"retried": done, "refused": refused})
    nothing = not (done or refused)
    run.out.say("Nothing is parked." if nothing else f"{times(done, 'piece')} will be tried again.")
    if refused:
        return PARTIAL if done else FAILED
    return DONE if done else NOTHING
