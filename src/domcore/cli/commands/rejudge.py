"""``domcore rejudge``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from domcore.cli.exits import DONE, NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean, times
from domcore.cli.references import named
from domcore.cli.verb import verb
from domcore.errors import DomcoreError

if TYPE_CHECKING:
    from domcore.app import Domcore


@verb(
    'domcore rejudge "#1310"',
    "domcore rejudge --all --code mine/big-hold --dry-run",
    "domcore rejudge --all --by kim",
    exits=(NOTHING, PARTIAL),
    writes=True,
)
@click.argument("orders", metavar="[ORDER...]", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every order that is held.")
@click.option("--code", default="", help="With --all: only those that this hold stops.")
@click.option("--dry-run", is_flag=True, help="Only say which orders these are.")
def command(run: Invocation, orders: Sequence[str], every: bool, code: str, dry_run: bool) -> int:
    """Judge held orders anew, by the rules, network and plugins of now.

    For holds that were a mistake, once the rule is mended: what nothing asks for any more is
    lifted, and no genuine hold with it. Nobody has approved what is lifted, so it may come back
    with a later decision. Holds that a channel or a person asked for stay: lift them with
    `approve`. An order that was held before anything was reserved is routed at once. Exit code 3
    says that nothing was held, 4 that some order could not be judged.
    """
    if bool(orders) == every or (code and not every):
        raise click.UsageError("name orders, or say --all (with --code, if need be)")
    with run.open() as dom:
        names = held_by(dom, code) if every else [named(dom, each) for each in orders]
        if not names:
            run.out.note(clean(f"No order is held{f' by {code}' if code else ''}."))
            return NOTHING
        if dry_run:
            for name in names:
                run.out.say(clean(f"would judge {name}"))
                if run.out.as_json:
                    run.out.object({"order": name, "done": False})
            return DONE
        return _judge(run, dom, names)


def held_by(dom: Domcore, code: str = "") -> list[str]:
    """The names of the orders that are held; with a code, of those that this hold stops."""
    found: list[str] = []
    after = ""
    while page := dom.exceptions(["held"], limit=500, after=after):
        found += [each.order for each in page if not code or code in each.codes]
        after = page[-1].cursor
    return found


def _judge(run: Invocation, dom: Domcore, names: Sequence[str]) -> int:
    held = failed = 0
    for name in names:
        try:
            told = dom.rejudge(name)
        except DomcoreError as error:
            failed += 1
            run.out.say(clean(f"{name}  {error}"))
            if run.out.as_json:
                run.out.object({"order": name, "outcome": "failed", "reason": str(error)})
            continue
        held += told.outcome != "nothing"
        lifted = ", ".join(hold.code for hold in told.lifted)
        still = ", ".join(hold.code for hold in told.holds)
        words = [f"without {lifted}"] if lifted else []
        words += [f"held by {still}"] if still else []
        run.out.say(clean("  ".join([name, told.outcome, *words])))
        if run.out.as_json:
            run.out.object(
                {
                    "order": name,
                    "outcome": told.outcome,
                    "lifted": [hold.code for hold in told.lifted],
                    "holds": [hold.code for hold in told.holds],
                }
            )
    if len(names) > 1:
        run.out.note(f"{times(len(names) - failed, 'order')} judged.")
    return PARTIAL if failed else DONE if held else NOTHING
