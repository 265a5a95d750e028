"""``domcore work``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from domcore.cli.exits import DONE, INTERRUPTED, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.looping import Loop, Stop, patiently
from domcore.cli.output import clean, times
from domcore.cli.times import Seconds
from domcore.cli.verb import verb
from domcore.errors import StoreError

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore.working import WorkReport

_WORDS: Final = (
    ("expired", "freed {}", "reservation"),
    ("lifted", "lifted {} of rules that have ended", "hold"),
    ("pulled", "took in {}", "command"),
    ("news", "heard {}", "notice"),
    ("routed", "routed {}", "order"),
    ("released", "handed over {}", "fulfillment order"),
    ("cancelled", "asked to stop {}", "fulfillment order"),
    ("changed", "changed {}", "fulfillment order"),
    ("reconciled", "looked up {}", "unknown outcome"),
    ("unknown", "nobody knows about {}", "call"),
    ("waiting", "left {} for later", "word"),
    ("events", "delivered {}", "event"),
    ("notified", "told channels {}", "piece of news"),
    ("published", "published {}", "stock level"),
    ("cover", "found {} on cover", "event"),
    ("parked", "set aside {}", "piece"),
    ("failed", "{} failed", "attempt"),
)
_PLURALS: Final = {"piece of news": "pieces of news"}


@verb("domcore work --once", "domcore work --loop --every 10", exits=(PARTIAL,))
@click.option("--once/--loop", default=True, help="One round (the default), or for ever.")
@click.option(
    "--every",
    type=Seconds(0.1),
    default=5.0,
    show_default=True,
    help="Seconds between rounds.",
)
@click.option(
    "--limit", type=click.IntRange(1), default=1000, show_default=True, help="At most per round."
)
def command(run: Invocation, once: bool, every: float, limit: int) -> int:
    """Do what is due: ask for news, route, hand work to nodes, deliver events, publish stock.

    A loop ends after the piece of work in hand: with 0 for SIGTERM, with 130 for Ctrl-C, of which
    a second one ends it at once. Of rounds in which nothing was due it tells the first. A round in
    which the store is locked, full or cannot be reached is told; the loop waits longer and longer,
    up to a minute, and goes on with the store opened anew.
    Exit code 4 says that something failed; it is tried again later, or shown by `domcore parked`.
    """
    rounds = _Rounds(run, limit)
    if once:
        with run.open() as dom:
            return rounds.one(dom)
    with patiently() as stop:
        rounds.stop = stop
        code = Loop(run.open, rounds.one, rounds.put_off, every=every).run(stop)
    if stop.signal:
        return DONE if stop.signal == signal.SIGTERM else INTERRUPTED
    return code


class _Rounds:
    """Does rounds of work and tells of them."""

    def __init__(self, run: Invocation, limit: int) -> None:
        self._run = run
        self._limit = limit
        self._idle = False
        self.stop: Stop | None = None
        """Set in a loop."""

    def one(self, dom: Domcore) -> int:
        """One round; its exit code."""
        report = dom.work(limit=self._limit, stop=self.stop)
        with self._telling():
            self._tell(report)
        return PARTIAL if report.failures else DONE

    def put_off(self, error: StoreError) -> int:
        """A round that could not be done is told."""
        self._idle = False
        with self._telling():
            self._run.out.note(clean(str(error)))
        return PARTIAL

    def _tell(self, report: WorkReport) -> None:
        out = self._run.out
        for failure in report.failures:
            out.note(clean(failure))
        if out.as_json:
            out.object({**report.counts, "failures": report.failures})
        idle = report.idle and not report.failures
        if not (idle and self._idle):
            out.say(summary(report))
        self._idle = idle

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What cannot be written down on a full disk is no reason for a loop to end."""
        try:
            yield
        except OSError:
            if self.stop is None:
                raise


def summary(report: WorkReport) -> str:
    """One line with what happened and nothing else."""
    said = [
        words.format(times(report.counts[name], noun, _PLURALS.get(noun, "")))
        for name, words, noun in _WORDS
        if report.counts[name]
    ]
    text = ", ".join(said) or "nothing was due"
    return f"{text[0].upper()}{text[1:]}."
