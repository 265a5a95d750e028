"""Where things stand, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from domcore.store.protocol import Parked
from domcore.verbs.core import Core

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore.seeing.exceptions import Waiting
    from domcore.seeing.kpi import Kpi
    from domcore.seeing.series import By, KpiSeries
    from domcore.seeing.timeline import Timeline


MOST_PARKED: Final = 1_000_000


class SeeingVerbs(Core):
    """For people who look."""

    def timeline(self, reference: str) -> Timeline:
        """Every event and decision of an order, in order, in words.

        Raises:
            NotFound, ConflictError: no such order, or several.
        """
        from domcore.seeing.timeline import timeline  # seeing is not on the routing path

        return timeline(self.store, self.find(reference))

    def exceptions(
        self,
        kinds: Sequence[str] | None = None,
        *,
        limit: int = 50,
        after: str = "",
        owner: str | None = None,
        stuck_after: timedelta = timedelta(hours=24),
        late_within: timedelta = timedelta(0),
        failing_after: timedelta = timedelta(hours=1),
    ) -> list[Waiting]:
        """What waits for a person, with the command that works it off; a page at a time.

        Args:
            kinds: ``held``, ``short``, ``unknown``, ``rejected``, ``trouble``, ``stuck``,
                ``failing``, ``parked``, ``late``; None is all.
            after: the `cursor` of the last one seen.
            owner: of this owner's orders only.
            stuck_after: work without news for longer is stuck.
            late_within: a promise so near, or past, is late.
            failing_after: what has been tried in vain for longer is failing.

        Raises:
            ConfigurationError: no such kind, or `after` is no cursor.
        """
        from domcore.seeing.exceptions import Lookout, Patience, checked_kinds

        wanted = checked_kinds(kinds)
        with self.store.snapshot():
            patience = Patience(stuck_after, late_within, failing_after)
            lookout = Lookout(self.store, self._set_aside, self.now(), patience, owner)
            return lookout.page(wanted, limit, after)

    def kpi(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        owner: str | None = None,
    ) -> Kpi:
        """The figures of the orders captured from `since` until before `until`: how they were
        decided and what became of them; and the backlog, the exceptions and the health of now.

        Raises:
            ConfigurationError: a time says no zone, or `until` is before `since`.
        """
        from domcore.seeing.tally import figures

        connectors = [each.name for each in self.settings.connectors]
        store, parked = self.store, self._set_aside
        return figures(store, parked, self.now(), since, until, owner, connectors)

    def kpi_series(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        by: By = "day",
        owner: str | None = None,
    ) -> KpiSeries:
        """The figures of each day, week or month of the calendar in UTC, counted in one pass.

        Args:
            since, until: as of `kpi`; from the first order on, and until now, where left out. What
                has become of the orders is counted as it is now.
            by: ``day``, ``week`` (from Monday on) or ``month``.

        Raises:
            ConfigurationError: `by` is none of these, a time says no zone, `until` is before
                `since`, or there would be more than 1,000 periods.
        """
        from domcore.seeing.series import series

        return series(self.store, self.now(), since, until, owner, by)

    def _set_aside(self) -> list[Parked]:
        return cast("Domcore", self).parked(limit=MOST_PARKED)
