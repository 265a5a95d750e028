"""``domcore work``."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from domcore.cli.exits import DONE, INTERRUPTED, PARTIAL
from domcore.cli.output import clean, times
from domcore.cli.pipes import reader_gone
from domcore.cli.times import Seconds
from domcore.cli.verb import Invocation, verb
from domcore.errors import StoreError

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore.working import WorkReport

_SLICE: Final = 0.1
_JITTER: Final = 0.1

_WORDS: Final = (
    ("expired", "freed {}", "reservation"),
    ("pulled", "took in {}", "command"),
    ("news", "heard {}", "notice"),
    ("routed", "routed {}", "order"),
    ("released", "handed over {}", "fulfillment order"),
    ("cancelled", "asked to stop {}", "fulfillment order"),
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
    which the store is locked, full or cannot be reached is told and tried again.
    Exit code 4 says that something failed; it is tried again later, or shown by `domcore parked`.
    """
    with run.open() as dom, _patiently(loop=not once) as stop:
        code = _round(run, dom, limit, stop)
        while not (once or stop.signal or reader_gone()):
            stop.sleep(every * random.uniform(1 - _JITTER, 1 + _JITTER))
            if not stop.signal:
                code = _next_round(run, dom, limit, stop)
    if stop.signal:
        return DONE if stop.signal == signal.SIGTERM else INTERRUPTED
    return code


class _Stop:
    """Whether a signal has asked for the end, and whether the last round had nothing to do."""

    def __init__(self) -> None:
        self.signal = 0
        self.idle = False

    def hear(self, number: int, _frame: Any) -> None:
        """Remember the first signal; a second Ctrl-C ends at once."""
        if self.signal and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number

    def __call__(self) -> bool:
        return bool(self.signal)

    def sleep(self, seconds: float) -> None:
        """Wait, but not past a signal."""
        until = time.monotonic() + seconds
        while not self.signal and (left := until - time.monotonic()) > 0:
            time.sleep(min(_SLICE, left))


@contextmanager
def _patiently(*, loop: bool) -> Iterator[_Stop]:
    """In a loop, signals wait for the piece of work in hand."""
    stop = _Stop()
    if not loop:
        yield stop
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [(number, signal.signal(number, stop.hear)) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _next_round(run: Invocation, dom: Domcore, limit: int, stop: _Stop) -> int:
    """Another round; a store that cannot be used for the moment is no reason to end."""
    try:
        return _round(run, dom, limit, stop)
    except StoreError as error:
        if not error.passing:
            raise
        run.out.note(f"{error}")
        stop.idle = False
        return PARTIAL


def _round(run: Invocation, dom: Domcore, limit: int, stop: _Stop) -> int:
    report = dom.work(limit=limit, stop=stop)
    for failure in report.failures:
        run.out.note(clean(failure))
    if run.out.as_json:
        run.out.object({**report.counts, "failures": report.failures})
    idle = not any(report.counts.values())
    if not (idle and stop.idle):
        run.out.say(summary(report))
    stop.idle = idle
    return PARTIAL if report.failures else DONE


def summary(report: WorkReport) -> str:
    """One line with what happened and nothing else."""
    said = [
        words.format(times(report.counts[name], noun, _PLURALS.get(noun, "")))
        for name, words, noun in _WORDS
        if report.counts[name]
    ]
    text = ", ".join(said) or "nothing was due"
    return f"{text[0].upper()}{text[1:]}."
