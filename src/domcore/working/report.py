"""What one round of work did."""

from __future__ import annotations

from typing import Final

from attrs import asdict, define, field, frozen

MOST_FAILURES: Final = 100
"""Failures named in one report; more are counted."""


@frozen(slots=True)
class WorkReport:
    """What one round of `Domcore.work` did; `failures` name what could not go on, and why.

    Args:
        expired: reservations whose time was over.
        lifted: holds of rules whose window is over.
        pulled: commands that came from channels that are asked.
        news: notices that came from connectors that are asked.
        routed: orders that were decided; `placed` of them got stock.
        released, cancelled: words to nodes that came to their end: work, and the wish to stop it.
        changed: words to nodes that work they have is for somebody else by now.
        reconciled: pieces of unknown outcome that were looked up.
        unknown: calls of which nobody knows what they did.
        waiting: pieces left for later: their connector is not there, or down.
        events: events handed to plugins.
        notified: news told to channels.
        published: stock levels told to channels.
        cover: events about days of cover.
        parked: what was set aside for a person.
        failed: attempts that failed, of whatever kind.
    """

    events: int = 0
    expired: int = 0
    lifted: int = 0
    failures: tuple[str, ...] = ()
    pulled: int = 0
    news: int = 0
    routed: int = 0
    placed: int = 0
    released: int = 0
    cancelled: int = 0
    changed: int = 0
    reconciled: int = 0
    unknown: int = 0
    waiting: int = 0
    notified: int = 0
    published: int = 0
    cover: int = 0
    parked: int = 0
    failed: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Every number by name."""
        return {name: value for name, value in asdict(self).items() if name != "failures"}

    @property
    def idle(self) -> bool:
        """Whether nothing at all happened."""
        return not any(self.counts.values())


@define
class Tally:
    """The numbers of a `WorkReport` while they are added up."""

    counts: dict[str, int] = field(factory=dict)
    failures: list[str] = field(factory=list)

    def add(self, name: str, number: int = 1) -> None:
        """Count something."""
        if number:
            self.counts[name] = self.counts.get(name, 0) + number

    def fail(self, message: str, *, count: bool = True) -> None:
        """Name something that could not go on."""
        if count:
            self.add("failed")
        if len(self.failures) < MOST_FAILURES:
            self.failures.append(message)

    def report(self) -> WorkReport:
        """What came out."""
        return WorkReport(failures=tuple(self.failures), **self.counts)
