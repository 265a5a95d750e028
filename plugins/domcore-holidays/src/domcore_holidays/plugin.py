"""What domcore loads: facts that say whether a node works today, and when it does again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from domcore.hookspecs import hookimpl
from domcore.model import Candidate, FactSpec, FactValue, PlanContext
from domcore.plugin_kit import plain_fields

if TYPE_CHECKING:
    from domcore.app import Domcore
    from domcore_holidays.calendar import Calendar

NAME: Final = "holidays"
"""The name it is registered under, its settings table, and the middle of its facts' names."""

FACTS: Final = (
    FactSpec(
        "node.holidays.open_today", "node", "bool",
        summary="Whether the node works today, by its own clock",
    ),
    FactSpec(
        "node.holidays.closed_days_ahead", "node", "int", "days",
        summary="How many days until the node works; 0 when it works today",
    ),
    FactSpec(
        "node.holidays.closed_reason", "node", "text", nullable=True,
        summary="Why the node is closed today; missing when it is not",
    ),
)  # fmt: skip


class Holidays:
    """The plugin of one application. What it remembers follows from the settings alone."""

    def __init__(self) -> None:
        self._read: tuple[Mapping[str, Any], Calendar] | None = None

    @hookimpl
    def plain_settings(self) -> tuple[str, ...]:
        """All but the secrets may be shown."""
        from domcore_holidays.options import Options

        return plain_fields(Options)

    @hookimpl
    def register_facts(self, dom: Domcore) -> Sequence[FactSpec]:
        """The facts, once the settings are known to be good: a wrong one is found at the start."""
        self._calendar(dom.settings.plugin_options.get(NAME, {}))
        return FACTS

    @hookimpl
    def trouble(self, dom: Domcore) -> Sequence[str]:
        """Nodes of which nobody knows the holidays."""
        calendar = self._calendar(dom.settings.plugin_options.get(NAME, {}))
        return list(calendar.trouble(dom.network().nodes))

    @hookimpl
    def gather_facts(
        self, candidates: Sequence[Candidate], context: PlanContext
    ) -> Mapping[str, Mapping[str, FactValue]]:
        """The facts of every candidate's node, from nothing but the arguments."""
        calendar = self._calendar(context.settings)
        return {each.key: calendar.facts(each.node, context.now) for each in candidates}

    def _calendar(self, settings: Mapping[str, Any]) -> Calendar:
        """The calendar that these settings make; read anew when they are others."""
        if self._read is None or self._read[0] != settings:
            # Imported late: holidays and cattrs are slow to load, and most commands plan nothing.
            from domcore_holidays.calendar import Calendar
            from domcore_holidays.options import read_options

            self._read = settings, Calendar(read_options(settings))
        return self._read[1]


def __getattr__(name: str) -> Holidays:
    """`plugin`, which the entry point names, is a new one each time: applications share nothing."""
    if name == "plugin":
        return Holidays()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
