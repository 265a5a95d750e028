"""``domcore rulesets list|check|test``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click
from attrs import asdict

from domcore.cli.exits import DONE, FAILED
from domcore.cli.invocation import Invocation
from domcore.cli.output import Column, clean, joined, times
from domcore.cli.verb import Examples, verb

if TYPE_CHECKING:
    from domcore.cli.rulebook import Checked, Rulebook
    from domcore.packs import PackInfo

_COLUMNS: Final = (
    Column("PACK", "name"),
    Column("VERSION", "version"),
    Column("ACTIVE", "active", lambda rows: joined(row["layer"] for row in rows)),
    Column("RULES", "rules", right=True),
    Column("PATH", "path"),
    Column("ERROR", "error"),
)
_packs = click.argument("packs", metavar="[PACK...]", nargs=-1)


@click.group(cls=Examples, examples=["domcore rulesets list", "domcore rulesets check"])
def command() -> None:
    """List, check and test rule packs.

    Packs come from the folders of the setting `rulesets`, from plugins, and with domcore. A PACK is
    a name, or a path of a folder that holds one.
    """


@verb("domcore rulesets list", "domcore rulesets list --json", name="list")
def list_(run: Invocation) -> None:
    """List every pack there is, and which are active."""
    with _rulebook(run) as book:
        rows = [_row(info) for info in book.packs()]
    run.out.rows(_COLUMNS, rows, empty="There are no rule packs.")


@verb("domcore rulesets check", "domcore rulesets check ship-from-store")
@_packs
def check(run: Invocation, packs: Sequence[str]) -> int:
    """Read and compile packs, alone and as they are activated together.

    What can be used and is odd all the same is told, too: "wrong" can never do what it says (a
    weekday or a node's kind that does not exist, parts that contradict each other, rules that
    leave no node), "odd" looks like a slip (a channel, node or SKU that is not there), a "note" is
    as well to know. Exit code 1 says that something cannot be used, or is wrong.
    """
    with _rulebook(run) as book:
        return _told(run, "check", book.check(packs))


@verb("domcore rulesets test", "domcore rulesets test cost-first --json")
@_packs
def test(run: Invocation, packs: Sequence[str]) -> int:
    """Run the cases that come with packs (cases.toml).

    Exit code 1 says that a case failed, or that a pack has none.
    """
    with _rulebook(run) as book:
        return _told(run, "test", book.test(packs))


for _command in (list_, check, test):
    command.add_command(_command)


@contextmanager
def _rulebook(run: Invocation) -> Iterator[Rulebook]:
    # Packs need no store, so none is opened; the rules cost a start-up of their own.
    from domcore.cli.rulebook import open_rulebook

    with open_rulebook(run.settings) as book:
        yield book


def _told(run: Invocation, what: str, found: Iterator[Checked]) -> int:
    """Print what was found on each pack, and count the bad ones."""
    bad = total = bad_together = 0
    for each in found:
        total += not each.together
        bad += each.bad and not each.together
        bad_together += each.bad and each.together
        if run.out.as_json:
            row = {"pack": each.name, what: each.done, "failures": each.failures}
            run.out.object({**row, "remarks": [asdict(remark) for remark in each.remarks]})
            continue
        run.out.say(f"{'FAIL' if each.bad else 'ok  '}  {each.name}: {each.done}")
        for failure in each.failures:
            run.out.say("      " + failure.replace("\n", "\n      "))
        for remark in each.remarks:
            run.out.say(f"      {remark.level}: {clean(str(remark))}")
    if not total:
        run.out.note("There are no rule packs.")
    if bad:
        run.out.note(f"{bad:,} of {times(total, 'pack')} failed")
    if bad_together:
        run.out.note("What is activated does not go together, or cannot do what it says.")
    return FAILED if bad or bad_together else DONE


def _row(info: PackInfo) -> dict[str, Any]:
    pack = info.pack
    return {
        "name": info.name,
        "version": pack.version if pack else "",
        "rules": len(pack.rules) if pack else 0,
        "digest": pack.digest if pack else "",
        "active": [
            {"layer": each.layer, "owner": each.owner, "channels": list(each.channels)}
            for each in info.active
        ],
        "path": info.path,
        "description": pack.description if pack else "",
        "error": info.error,
    }
