"""Work handed to a partner that loses answers and calls: is anything shipped twice, or never?

    python benchmarks/dispatch.py                    # 100,000 dispatches
    python benchmarks/dispatch.py --dispatches 1000  # so many
    python benchmarks/dispatch.py --smoke            # a few hundred

The partner is in this process and keeps the books of what it would ship; time is simulated. Of its
answers, 30 % are unknown: taken in and the answer lost, lost on the way in, arriving some time
after the connection was reset, and taken in with the answer twice over. Some more calls fail
plainly, and some orders are cancelled half way. The exit code says whether every order was shipped
exactly once, or not at all where it was cancelled.
"""

from __future__ import annotations

import logging
import random
import sys
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from measure import machine, measured, parser, table

from domcore import ConnectorError, Domcore, Settings, WorkSettings, hookimpl
from domcore.model import Handover, Receipt
from domcore.testing.builder import Clock, World

DISPATCHES = 100_000
SMOKE = 300
WAVE = 500
"""Orders in flight at a time."""

UNKNOWN = (("lost answer", 0.12), ("lost call", 0.10), ("late", 0.05), ("twice", 0.03))
"""How a call may go whose outcome nobody knows, and how often."""

PLAIN = 0.05
"""How often a call fails and is known to have failed."""

CANCELLED = 0.05
LATE = timedelta(seconds=40)


class Vendor:
    """Takes work in under its key; the same key again is the same work."""

    name = "vendor"
    certain_after = 60

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._dice = random.Random(seed)
        self._arriving: list[tuple[datetime, str]] = []
        self.books: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.moods: Counter[str] = Counter()

    def release(self, handover: Handover) -> Receipt:
        """Take work in, or seem not to."""
        self._arrive()
        self.calls["release"] += 1
        mood = self._mood()
        self.moods[mood] += 1
        key = handover.key
        if mood == "refused":
            raise ConnectorError("too busy", retry_after=20)
        if mood == "late":
            self._arriving.append((self._clock() + LATE, key))
        elif mood != "lost call":
            self._take_in(key)
        if mood in ("lost answer", "lost call", "late"):
            raise ConnectorError("connection reset", unknown=True)
        if mood == "twice":
            self._take_in(key)
            raise ValueError("two answers where one was wanted")
        return Receipt("accepted", f"V-{key}")

    def cancel(self, handover: Handover) -> Receipt:
        """Stop, where it is here."""
        return self._answer("cancel", handover.key)

    def reconcile(self, handover: Handover) -> Receipt:
        """Say what is here."""
        return self._answer("reconcile", handover.key)

    def _answer(self, verb: str, key: str) -> Receipt:
        self._arrive()
        self.calls[verb] += 1
        if self._dice.random() < PLAIN:
            raise ConnectorError("time-out", unknown=True)
        if key not in self.books:
            return Receipt("unknown_here")
        if verb == "cancel":
            self.books[key] = "cancelled"
        return Receipt(self.books[key], f"V-{key}")

    def _mood(self) -> str:
        draw = self._dice.random()
        for mood, share in (*UNKNOWN, ("refused", PLAIN)):
            if draw < share:
                return mood
            draw -= share
        return "well"

    def _take_in(self, key: str) -> None:
        self.books.setdefault(key, "accepted")

    def _arrive(self) -> None:
        now = self._clock()
        while self._arriving and self._arriving[0][0] <= now:
            self._take_in(self._arriving.pop(0)[1])


class Plugin:
    """Serves the vendor."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    @hookimpl
    def register_connectors(self) -> list[Any]:
        """The one there is."""
        return [self._vendor]


class Run:
    """So many orders through one application, a wave at a time."""

    def __init__(self, dispatches: int, seed: int) -> None:
        self.dispatches = dispatches
        self._dice = random.Random(f"orders {seed}")
        self._world = World().node("NYC", at=(40.7, -74.0), connector="vendor")
        self._world.item("MUG", weight=300).stock("MUG", NYC=dispatches)
        self._clock = self._world.clock
        self.vendor = Vendor(self._clock, seed)
        self.cancelled: set[str] = set()
        self.parked = 0
        self.longest = timedelta()

    def go(self) -> list[str]:
        """Hand everything over; what went wrong."""
        work = WorkSettings(attempts=8, lease_seconds=60, backoff_most_seconds=300)
        settings = Settings(store="memory:", engine="python", work=work)
        with self._world.open(settings, plugins={"vendor": Plugin(self.vendor)}) as dom:
            for first in range(0, self.dispatches, WAVE):
                self._wave(dom, first, min(first + WAVE, self.dispatches))
            return self._wrong(dom)

    def _wave(self, dom: Domcore, first: int, last: int) -> None:
        names = [str(number) for number in range(first, last)]
        dom.capture_all(self._world.order(name, MUG=1) for name in names)
        began, stopped = self._clock(), False
        while True:
            for each in dom.parked() if stopped else ():
                self.parked += 1
                dom.retry(each.id)
            dom.work()
            self._clock.forward(seconds=30)
            if not stopped:
                stopped = True
                self._cancel(dom, names)
            elif not self._busy(dom):
                break
        self.longest = max(self.longest, self._clock() - began)

    def _cancel(self, dom: Domcore, names: list[str]) -> None:
        for name in names:
            if self._dice.random() < CANCELLED:
                dom.cancel(f"web/{name}")
                self.cancelled.add(name)

    def _busy(self, dom: Domcore) -> bool:
        return bool(dom.store.pending(limit=1) or dom.store.parked(limit=1))

    def _wrong(self, dom: Domcore) -> list[str]:
        found = [str(each) for each in dom.verify()]
        live = Counter(
            key.split("-")[0] for key, status in self.vendor.books.items() if status == "accepted"
        )
        for number in range(self.dispatches):
            view = dom.order(f"web/{number}")
            wanted = 0 if str(number) in self.cancelled else 1
            if live[str(view.summary.order_id)] != wanted:
                found.append(f"order {number}: {live[str(view.summary.order_id)]}, not {wanted}")
            statuses = {work.status for work in view.fulfillment_orders}
            if statuses != ({"accepted"} if wanted else {"cancelled"}):
                found.append(f"order {number} ended as {statuses}")
        return found


def main() -> int:
    """Run, and print what the vendor saw; 1 when anything is wrong."""
    arguments = parser(__doc__)
    arguments.add_argument("--dispatches", type=int, default=DISPATCHES)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    logging.disable()  # the partner's failures are counted below
    run = Run(SMOKE if asked.smoke else asked.dispatches, asked.seed)
    with measured() as clock:
        wrong = run.go()
    moods, total = run.vendor.moods, sum(run.vendor.moods.values())
    unknown = sum(moods[mood] for mood, _ in UNKNOWN)
    print(f"{run.dispatches:,} dispatches, seed {asked.seed}; {machine()}\n")
    table(
        ("what", "number"),
        [
            ("calls to release", f"{total:,}"),
            ("of unknown outcome", f"{unknown:,} ({unknown / total:.0%})"),
            *((f"- {mood}", f"{moods[mood]:,}") for mood, _ in UNKNOWN),
            ("looked up", f"{run.vendor.calls['reconcile']:,}"),
            ("asked to stop", f"{run.vendor.calls['cancel']:,}"),
            ("orders cancelled", f"{len(run.cancelled):,}"),
            ("set aside and retried", f"{run.parked:,}"),
            ("longest until all of a wave were resolved", str(run.longest)),
            ("shipped twice, never, or in spite of it", f"{len(wrong):,}"),
            ("CPU a dispatch", f"{clock.cpu / run.dispatches * 1e3:.2f} ms"),
        ],
    )
    for message in wrong[:20]:
        print(message)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
