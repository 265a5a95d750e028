"""What plugins fetch before a batch is planned: live rates and the like, within a time budget.

A plugin runs in this process and cannot be stopped, so its budget is told to it and measured: one
that takes longer is an incident, and no further plugin is asked for that batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from domcore.answers import checked_prepared
from domcore.errors import PluginError
from domcore.model import Node, Order, PlanContext
from domcore.plugins import Failure, Implementation, Plugins
from domcore.settings import Settings

HOOK: Final = "prepare"


@frozen(slots=True)
class Wanted:
    """An order as it is about to be planned.

    Args:
        order: placed on the map; the quantity of each line is the units still open.
        sources: the nodes that hold some of it.
    """

    order: Order
    sources: tuple[Node, ...]


@frozen(slots=True)
class Prepared:
    """What was fetched for one order, by plugin, and what went wrong meanwhile."""

    answers: Mapping[str, Any] = MappingProxyType({})
    incidents: tuple[str, ...] = ()


class Preparer:
    """Asks `prepare` for one application.

    Args:
        ticks: seconds that only ever grow; how long a plugin takes is measured by it.
    """

    def __init__(
        self,
        plugins: Plugins,
        settings: Settings,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plugins = plugins
        self._settings = settings
        self._ticks = ticks

    def ask(self, batch: Sequence[Wanted], now: datetime) -> dict[str, Prepared]:
        """What there is to know of each order of a batch, by `Order.key_text`."""
        answers: dict[str, dict[str, Any]] = {each.order.key_text: {} for each in batch}
        incidents: list[str] = []
        budget = float(self._settings.routing.prepare_seconds)
        for one in self._plugins.implementations(HOOK) if budget and batch else ():
            if one.builtin:
                continue
            left = self._one(one, batch, now, budget, answers, incidents)
            if left < 0:
                error = PluginError(
                    one.plugin, HOOK, f"took {budget - left:.1f} s where {budget:g} s are allowed"
                )
                incidents.append(str(self._plugins.failed(one.plugin, HOOK, error)))
                break
        return {key: Prepared(found, tuple(incidents)) for key, found in answers.items()}

    def _one(
        self,
        one: Implementation,
        batch: Sequence[Wanted],
        now: datetime,
        left: float,
        answers: dict[str, dict[str, Any]],
        incidents: list[str],
    ) -> float:
        """Ask one plugin, owner by owner; the seconds that are left of its budget."""
        owners = dict.fromkeys(each.order.owner for each in batch)
        for owner in owners:
            of_owner = [each for each in batch if each.order.owner == owner]
            began = self._ticks()
            answer = self._plugins.attempt(one, HOOK, self._arguments(one, of_owner, now, left))
            left -= self._ticks() - began
            if isinstance(answer, Failure):
                incidents.append(str(answer))
            elif answer is not None:
                keys = {each.order.key_text for each in of_owner}
                try:
                    checked = checked_prepared(one.plugin, answer, keys)
                except PluginError as error:
                    incidents.append(str(self._plugins.failed(one.plugin, HOOK, error)))
                    checked = {}
                except Exception as error:
                    # A mapping of its own making runs its own code when it is looked at.
                    wrong = PluginError(one.plugin, HOOK, f"{type(error).__name__} in its answer")
                    incidents.append(str(self._plugins.failed(one.plugin, HOOK, wrong)))
                    checked = {}
                for key, value in checked.items():
                    answers[key][one.plugin] = value
            if left < 0:
                break
        return left

    def _arguments(
        self, one: Implementation, batch: Sequence[Wanted], now: datetime, left: float
    ) -> dict[str, Any]:
        options = MappingProxyType(dict(self._settings.plugin_options.get(one.plugin, {})))
        context = PlanContext(
            now,
            batch[0].order.owner,
            self._settings.routing.seed,
            options,
            budget_seconds=left,
            sources=MappingProxyType({each.order.key_text: each.sources for each in batch}),
        )
        return {"orders": tuple(each.order for each in batch), "context": context}
