"""Foreign plugins at the planning hooks: asked live, or read back from a decision's record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeVar

from domcore.answers import checked_directive, checked_hold, checked_plan, frozen_json
from domcore.errors import PluginError
from domcore.model import (
    Allocation,
    Candidate,
    CostTerm,
    Directive,
    FactSpec,
    FactValue,
    Hold,
    Order,
    Parcel,
    Plan,
    PlanContext,
    Policy,
)
from domcore.plugins import Failure, Implementation, Plugins, of_kind
from domcore.preparing import Prepared
from domcore.rules.facts import check_value
from domcore.sourcing.question import Facts
from domcore.sourcing.record import directive_from, directive_row

T = TypeVar("T")

PLANNING_HOOKS: Final = ("prepare", "gather_facts", "judge", "make_plan", "review_plan")
OF_NODES: Final = ("node", "candidate")
FAILED_HOLD: Final = "domcore/plugin-failed"
LONGEST_REASON: Final = 300
"""Characters of a hold's reason that are of a plugin's failure."""


class LiveOutside:
    """Asks the plugins of one application, for one decision.

    A plugin that fails is an incident. Where its silence could break a rule (judging, reviewing,
    facts that a rule in force reads) the order is also held before release, naming it.

    Args:
        specs: every declared fact.
        givers: fact name to the plugin that declared it.
        reads: the facts that the rules in force read.
        options: each plugin's own settings.
        prepared: what plugins have fetched for this order.
    """

    def __init__(
        self,
        plugins: Plugins,
        specs: Mapping[str, FactSpec],
        options: Mapping[str, Mapping[str, Any]],
        *,
        givers: Mapping[str, str],
        reads: frozenset[str],
        now: datetime,
        owner: str,
        seed: int,
        prepared: Prepared,
    ) -> None:
        self._plugins = plugins
        self._specs = specs
        self._options = options
        self._givers = set(givers.values())
        self._read_from = {givers[name] for name in reads if name in givers}
        self._now, self._owner, self._seed = now, owner, seed
        self._answers: dict[str, Any] = {}
        self._incidents: list[str] = list(prepared.incidents)
        self._held: list[Hold] = []
        self._prepared = prepared.answers
        if prepared.answers:
            self._answers["prepared"] = prepared.answers
        if self._incidents:
            self._answers["incidents"] = self._incidents

    @property
    def answers(self) -> Mapping[str, Any]:
        """What was answered, for the record."""
        return self._answers

    @property
    def incidents(self) -> Sequence[str]:
        """What went wrong."""
        return self._incidents

    def facts(self, order: Order, candidates: Sequence[Candidate]) -> Facts:
        """Ask `gather_facts` and check every value against its FactSpec.

        A plugin whose facts nobody reads is not asked.
        """
        gathered: dict[str, dict[str, FactValue]] = {}
        keys = {candidate.key for candidate in candidates} | {"order"}
        judges = bool(self._foreign("judge"))
        for one in self._foreign("gather_facts"):
            unread = one.plugin in self._givers and one.plugin not in self._read_from
            if unread and not judges:
                continue
            self._plugins.asked.add(one.plugin)
            answer = self._ask(one, "gather_facts", order=order, candidates=candidates)
            if answer is None:
                continue
            try:
                checked = self._checked_facts(one.plugin, answer, keys)
            except PluginError as error:
                self._incident(one.plugin, "gather_facts", error)
                continue
            for key, values in checked.items():
                gathered.setdefault(key, {}).update(values)
        if gathered:
            self._answers["facts"] = gathered
        return MappingProxyType({key: MappingProxyType(values) for key, values in gathered.items()})

    def _checked_facts(
        self, plugin: str, answer: Any, keys: set[str]
    ) -> dict[str, dict[str, FactValue]]:
        if not isinstance(answer, Mapping):
            raise PluginError(plugin, "gather_facts", "returned no mapping")
        checked: dict[str, dict[str, FactValue]] = {}
        for key, values in answer.items():
            if key not in keys or not isinstance(values, Mapping):
                raise PluginError(
                    plugin, "gather_facts", f"speaks of {key!r}, which is no candidate"
                )
            for name, value in values.items():
                spec = self._specs.get(name)
                if spec is None or name.count(".") < 2:
                    raise PluginError(
                        plugin, "gather_facts", f"gives {name!r}, which no plugin has declared"
                    )
                if spec.entity not in (("order", "destination") if key == "order" else OF_NODES):
                    raise PluginError(
                        plugin, "gather_facts", f"gives {name!r} under {key!r}, where none belongs"
                    )
                if value is not None:
                    checked.setdefault(key, {})[name] = check_value(spec, value)
        return checked

    def directives(
        self, order: Order, candidates: Sequence[Candidate], facts: Facts
    ) -> tuple[Directive, ...]:
        """Ask `judge`."""
        gathered: list[Directive] = []
        for one in self._foreign("judge"):
            answer = self._ask(one, "judge", order=order, candidates=candidates, facts=facts)
            gathered += self._objects(one.plugin, "judge", answer, Directive, checked_directive)
        if gathered:
            self._answers["directives"] = [directive_row(each) for each in gathered]
        return tuple(gathered)

    def plan(
        self,
        order: Order,
        candidates: Sequence[Candidate],
        policy: Policy,
        check: Callable[[str, Plan], None],
    ) -> tuple[str, Plan] | None:
        """Ask `make_plan` until one answers with a plan that passes the check."""
        for one in self._foreign("make_plan"):
            answer = self._ask(one, "make_plan", order=order, candidates=candidates, policy=policy)
            if answer is None:
                continue
            try:
                if not isinstance(answer, Plan):
                    raise PluginError(
                        one.plugin, "make_plan", f"returned {type(answer).__name__}, not a Plan"
                    )
                check(one.plugin, checked_plan(one.plugin, answer))
            except PluginError as error:
                self._incident(one.plugin, "make_plan", error)
                continue
            self._answers["plan"] = plan_row(one.plugin, answer)
            return one.plugin, answer
        return None

    def review(self, order: Order, plan: Plan) -> tuple[Hold, ...]:
        """Ask `review_plan`; plugins that failed earlier add their own holds."""
        gathered: list[Hold] = []
        for one in self._foreign("review_plan"):
            answer = self._ask(one, "review_plan", order=order, plan=plan)
            gathered += self._objects(one.plugin, "review_plan", answer, Hold, checked_hold)
        holds = (*gathered, *self._held)
        if holds:
            self._answers["holds"] = [(hold.code, hold.reason, hold.stage) for hold in holds]
        return holds

    def _foreign(self, hook: str) -> list[Implementation]:
        return [one for one in self._plugins.implementations(hook) if not one.builtin]

    def _ask(self, one: Implementation, hook: str, **arguments: Any) -> Any:
        options = MappingProxyType(dict(self._options.get(one.plugin, {})))
        prepared = frozen_json(self._prepared.get(one.plugin))
        context = PlanContext(self._now, self._owner, self._seed, options, prepared=prepared)
        answer = self._plugins.attempt(one, hook, {**arguments, "context": context})
        if isinstance(answer, Failure):
            self._note(one.plugin, hook, str(answer))
            return None
        return answer

    def _objects(
        self, plugin: str, hook: str, answer: Any, kind: type[T], check: Callable[[str, T], T]
    ) -> list[T]:
        """The `kind` objects of an answer, all of them or, if one is wrong, none."""
        if answer is None:
            return []
        try:
            return [check(plugin, of_kind(plugin, hook, kind, each)) for each in answer]
        except (PluginError, TypeError) as error:
            self._incident(plugin, hook, error)
            return []

    def _incident(self, plugin: str, hook: str, error: Exception) -> None:
        self._plugins.failed(plugin, hook, error)
        self._note(plugin, hook, str(error))

    def _note(self, plugin: str, hook: str, message: str) -> None:
        self._incidents.append(message)
        self._answers["incidents"] = self._incidents
        if hook in ("judge", "review_plan") or plugin in self._read_from:
            reason = f"plugin {plugin} failed while the order was being decided: {message}"
            self._held.append(Hold(FAILED_HOLD, reason[:LONGEST_REASON]))


class RecordedOutside:
    """Answers what was answered then."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    @property
    def answers(self) -> Mapping[str, Any]:
        """The recorded answers, unchanged."""
        return self._answers

    @property
    def incidents(self) -> Sequence[str]:
        """What went wrong then."""
        return tuple(self._answers.get("incidents", ()))

    def facts(self, order: Order, candidates: Sequence[Candidate]) -> Facts:
        """The recorded facts; lists are the tuples they were."""
        return {
            key: {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values.items()
            }
            for key, values in self._answers.get("facts", {}).items()
        }

    def directives(
        self, order: Order, candidates: Sequence[Candidate], facts: Facts
    ) -> tuple[Directive, ...]:
        """The recorded directives."""
        return tuple(directive_from(row) for row in self._answers.get("directives", ()))

    def plan(
        self,
        order: Order,
        candidates: Sequence[Candidate],
        policy: Policy,
        check: Callable[[str, Plan], None],
    ) -> tuple[str, Plan] | None:
        """The recorded foreign plan, checked again."""
        row = self._answers.get("plan")
        if row is None:
            return None
        plugin, plan = plan_from(row)
        check(plugin, plan)
        return plugin, plan

    def review(self, order: Order, plan: Plan) -> tuple[Hold, ...]:
        """The recorded holds."""
        return tuple(Hold(*row) for row in self._answers.get("holds", ()))


def plan_row(plugin: str, plan: Plan) -> list[Any]:
    """A foreign plan as it stands in a record: who made it, what from where, packed how."""
    return [
        plugin,
        [(each.line, each.sku, each.node, each.quantity) for each in plan.allocations],
        [(parcel.node, parcel.contents) for parcel in plan.parcels],
    ]


def plan_from(row: Sequence[Any]) -> tuple[str, Plan]:
    """The other way round; prices are the core's own business."""
    plugin, allocations, parcels = row
    unpriced: tuple[CostTerm, ...] = ()
    return plugin, Plan(
        tuple(Allocation(*each) for each in allocations),
        tuple(
            Parcel(node, tuple((sku, units) for sku, units in contents), 0, 0, unpriced)
            for node, contents in parcels
        ),
    )
