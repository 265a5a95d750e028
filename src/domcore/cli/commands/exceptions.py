"""``domcore exceptions``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from domcore.cli.exits import DONE, NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import Column, clean, times
from domcore.cli.paging import after, limit, more
from domcore.cli.times import Age, age
from domcore.cli.verb import verb
from domcore.errors import DomcoreError
from domcore.seeing.exceptions import KINDS

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore.seeing.exceptions import Waiting

    _Page = Callable[[str, int], list[Waiting]]

_PAGE: Final = 500
_LISTED: Final = 20
"""Pieces of work that are named before they are worked off."""

_SUITS: Final = {
    "approve": ("held",),
    "route": ("short", "rejected", "late"),
    "retry": ("parked", "unknown", "failing"),
    "settle": ("trouble",),
}
"""What each way of working off is for."""

_WORDS: Final = {
    "approve": "domcore approve",
    "route": "domcore route",
    "retry": "domcore retry",
    "settle": "domcore settle",
}
"""How the commands begin that may be run for all: an address has to be corrected, what is looked
up by the next round of work anyway needs no retry, and goods that came back want a return."""

_PIECES: Final = ("retry", "settle")
"""Ways that are about pieces of work, not orders."""

_COLUMNS: Final = (
    Column("KIND", "kind"),
    Column("ORDER", "", lambda row: row["order"] or "-"),
    Column("AGE", "", lambda row: age(timedelta(seconds=row["age_seconds"])), right=True),
    Column("WHY", "reason"),
    Column("COMMAND", "command"),
)


@verb(
    "domcore exceptions",
    "domcore exceptions --kind held --approve --dry-run",
    "domcore exceptions --kind held --code mine/big-hold --approve",
    "domcore exceptions --kind short --route --yes",
    "domcore exceptions --kind stuck --stuck-after 4h --json",
    "domcore exceptions --watch --every 30",
    exits=(NOTHING, PARTIAL),
    writes=True,
    watched=("how",),
)
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only these; repeatable."
)
@click.option("--owner", help="Orders of this owner.")
@click.option("--code", help="Held by this hold; with --approve, only this one is lifted.")
@click.option(
    "--stuck-after", type=Age(), default="24h", show_default=True, help="Without news for so long."
)
@click.option(
    "--late-within", type=Age(), default="0m", show_default=True, help="Promises so near are late."
)
@click.option(
    "--failing-after", type=Age(), default="1h", show_default=True, help="In vain for so long."
)
@click.option("--approve", "how", flag_value="approve", help="Lift the holds of all of them.")
@click.option("--route", "how", flag_value="route", help="Route all of them again.")
@click.option("--retry", "how", flag_value="retry", help="Try all of them again.")
@click.option("--settle", "how", flag_value="settle", help="Be done with all of them.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@limit
@after("the cursor of the last exception seen")
def command(
    run: Invocation,
    kinds: Sequence[str],
    owner: str | None,
    code: str | None,
    stuck_after: timedelta,
    late_within: timedelta,
    failing_after: timedelta,
    how: str | None,
    dry_run: bool,
    yes: bool,
    limit: int,
    after: str | None,
) -> int:
    """List what waits for a person, with the command that works it off.

    With --approve, --route, --retry or --settle, all of it is worked off (--limit does not count
    then); you are asked first how many that are. Exit code 3 says that nothing was waiting, 4 that
    some of it could not be worked off.
    """
    with run.open() as dom:

        def next_page(cursor: str, size: int) -> list[Waiting]:
            return dom.exceptions(
                kinds or None, limit=size, after=cursor, owner=owner,
                stuck_after=stuck_after, late_within=late_within, failing_after=failing_after,
            )  # fmt: skip

        page = next_page if code is None else partial(_held_by, next_page, code)
        if how is not None:
            _check(how, kinds)
            waiting = list(_all(page))
            found = [each for each in waiting if code is not None or _fits(how, each)]
            if len(found) < len(waiting):
                other = times(len(waiting) - len(found), "other wants", "others want")
                run.out.note(f"{other} another command; see domcore exceptions.")
            return _bulk(run, dom, how, found, code=code or "", dry_run=dry_run, yes=yes)
        if dry_run or yes:
            raise click.UsageError(
                "--dry-run and --yes go with --approve, --route, --retry or --settle"
            )
        found = page(after or "", limit)
    rows = [each.to_dict() for each in found]
    run.out.rows(_COLUMNS, rows, empty="Nothing waits for a person.")
    if len(found) == limit:
        more(run, found[-1].cursor)
    return DONE


def _check(how: str, kinds: Sequence[str]) -> None:
    wrong = [kind for kind in kinds if kind not in _SUITS[how]]
    if wrong or not kinds:
        fitting = " or ".join(f"--kind {kind}" for kind in _SUITS[how])
        raise click.UsageError(f"--{how} is for {fitting}")


def _fits(how: str, each: Waiting) -> bool:
    """Whether it is worked off so, and needs no value besides."""
    return each.command.startswith(_WORDS[how]) and "--rate" not in each.command


def _all(page: Callable[[str, int], list[Waiting]]) -> Iterator[Waiting]:
    cursor = ""
    while found := page(cursor, _PAGE):
        yield from found
        cursor = found[-1].cursor


def _held_by(next_page: _Page, code: str, cursor: str, size: int) -> list[Waiting]:
    """A page of what this hold stops; as many pages of the others are read as it takes."""
    found: list[Waiting] = []
    while len(found) < size and (read := next_page(cursor, _PAGE)):
        found += [each for each in read if code in each.codes]
        cursor = read[-1].cursor
    return found[:size]


def _bulk(
    run: Invocation,
    dom: Domcore,
    how: str,
    found: Sequence[Waiting],
    *,
    code: str,
    dry_run: bool,
    yes: bool,
) -> int:
    """Work off everything found, once each, whatever becomes of the others."""
    pieces = how in _PIECES
    names = list(dict.fromkeys(each.subject if pieces else each.order for each in found))
    noun = "piece of work" if pieces else "order"
    what = f"{how} {times(len(names), noun, 'pieces of work' if pieces else '')}"
    if not names:
        run.out.note("Nothing waits for a person.")
        return NOTHING
    if dry_run:
        for name in names:
            run.out.say(clean(f"would {how} {name}"))
            if run.out.as_json:
                run.out.object({"how": how, "name": name, "done": False})
        run.out.note(f"Would {what}.")
        return DONE
    if not yes:
        run.out.note(clean(", ".join(names[:_LISTED]) + (" ..." if len(names) > _LISTED else "")))
        click.confirm(f"{what.capitalize()}?", abort=True, err=True)
    failed = 0
    for name in names:
        outcome, well = _work_off(dom, how, name, code)
        failed += not well
        if run.out.as_json:
            run.out.object({"how": how, "name": name, "done": well, "outcome": outcome})
        run.out.say(clean(f"{name}  {outcome}"))
    run.out.say(f"{len(names) - failed:,} of {len(names):,} done.")
    return PARTIAL if failed else DONE


def _work_off(dom: Domcore, how: str, name: str, code: str) -> tuple[str, bool]:
    """What became of one of them, and whether it is worked off."""
    try:
        if how == "approve":
            lifted = dom.approve(name, code=code)
            codes = ", ".join(hold.code for hold in lifted)
            return (f"approved: {codes}" if lifted else "nothing was held"), bool(lifted)
        if how == "settle":
            return f"settled: {dom.settle(name).note}", True
        if how == "retry":
            dom.retry(name)
            return "will be tried again", True
        outcomes: list[Any] = []
        dom.route([name], progress=outcomes.append)
        word = outcomes[0].outcome if outcomes else "nothing"
        return word, word in ("routed", "split")
    except DomcoreError as error:
        return str(error), False
