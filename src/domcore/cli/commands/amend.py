"""``domcore amend ORDER``."""

from __future__ import annotations

import click

from domcore.cli import effects
from domcore.cli.exits import NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.references import named
from domcore.cli.verb import verb


@verb(
    'domcore amend "#1001" --remove MUG=1 --reason "customer called"',
    'domcore amend "#1001" --line 4471=2 --dry-run',
    'domcore amend "#1001" --add MUG=1 --yes --json',
    exits=(NOTHING, PARTIAL),
    writes=True,
)
@click.argument("order")
@click.option(
    "--line", "lines", multiple=True, metavar="LINE=UNITS", help="The line wants so many units."
)
@click.option("--add", multiple=True, metavar="LINE=UNITS", help="So many units more.")
@click.option("--remove", multiple=True, metavar="LINE=UNITS", help="So many units fewer.")
@effects.why
@effects.key
@effects.dry_run
@effects.yes
def command(
    run: Invocation,
    order: str,
    lines: tuple[str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    reason: str,
    key: str,
    dry_run: bool,
    yes: bool,
) -> int:
    """Change how many units ORDER wants, on the customer's word.

    LINE is a line's id, or a SKU that stands on one line only. What is not wanted any more is free
    again, what is wanted besides is planned; nodes that have work of a smaller line are asked to
    stop. You are shown the effect and asked first. What you say stands until the channel tells
    another quantity of that line than it did. Exit code 3 says that it is so already, 4 that some
    of it stays open.
    """
    wanted = effects.pairs(lines, "--line")
    change = effects.pairs(add, "--add")
    for name, units in effects.pairs(remove, "--remove").items():
        if name in change:
            raise click.UsageError(f"line {name!r} is both added to and removed from")
        change[name] = -units
    if not (wanted or change):
        raise click.UsageError("say what is to change: --line, --add or --remove")
    with run.open() as dom:
        reference = named(dom, order)
        return effects.carried_out(
            run,
            lambda dry: dom.amend(
                reference, wanted, change=change, reason=reason, key=key, dry_run=dry
            ),
            f"Amend {order}?",
            dry_run=dry_run,
            yes=yes,
        )
