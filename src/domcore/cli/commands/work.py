"""``domcore work``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from domcore.cli.exits import DONE, INTERRUPTED, PARTIAL
from domcore.cli.output import times
from domcore.cli.pipes import reader_gone
from domcore.cli.verb import Invocation, verb

if TYPE_CHECKING:
    from domcore.app import Domcore


@verb("domcore work --once", "domcore work --loop --every 10", exits=(PARTIAL,))
@click.option("--once/--loop", default=True, show_default=True, help="One round, or for ever.")
@click.option("--every", type=click.FloatRange(0.1), default=5.0, help="Seconds between rounds.")
@click.option(
    "--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most per round."
)
def command(run: Invocation, once: bool, every: float, limit: int) -> int:
    """Do what is due: free expired reservations, deliver events to plugins.

    Ctrl-C ends a loop between two pieces of work. Exit code 4 says that a plugin failed; its event
    comes again.
    """
    with run.open() as dom:
        try:
            code = _round(run, dom, limit)
            while not (once or reader_gone()):
                time.sleep(every)
                code = _round(run, dom, limit)
        except KeyboardInterrupt:
            return INTERRUPTED
    return code


def _round(run: Invocation, dom: Domcore, limit: int) -> int:
    report = dom.work(limit=limit)
    for failure in report.failures:
        run.out.note(failure)
    if run.out.as_json:
        run.out.object(
            {
                "events": report.events,
                "expired": report.expired,
                "failures": report.failures,
            }
        )
    run.out.say(
        f"Delivered {times(report.events, 'event')}, freed {times(report.expired, 'reservation')}."
    )
    return PARTIAL if report.failures else DONE
