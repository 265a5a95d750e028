"""One sourcing question: everything a decision depends on, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from attrs import define, frozen

from domcore.model import Candidate, Directive, FactValue, Hold, Order, Plan, Policy
from domcore.rules.signals import Signals
from domcore.sourcing.generation import CURRENT, FORMAT, Generation
from domcore.sourcing.supply import Supply

SAID_RATE: Final = "domcore/currency@"
"""Begins the code of an approval that says a rate: ``domcore/currency@1.0842``."""

Facts = Mapping[str, Mapping[str, FactValue]]


@frozen(slots=True)
class Options:
    """How to decide: `objective` terms by falling weight, the planner's `step_limit`, the seed."""

    objective: tuple[str, ...] = ("cost",)
    step_limit: int = 200_000
    seed: int = 0
    review_nodes_over: int = 0
    max_attempts: int = 0


@frozen(slots=True)
class Past:
    """What earlier decisions have done for an order, and still stands.

    Args:
        units: units allocated or gone, by line position.
        nodes: positions of the nodes that they are at or have left from.
        beyond: how many further nodes there are, that the network no longer has.
    """

    units: tuple[int, ...]
    nodes: tuple[int, ...] = ()
    beyond: int = 0

    @property
    def count(self) -> int:
        """How many nodes ship for the order already."""
        return len(self.nodes) + self.beyond


@define(slots=True)  # not frozen: every order builds one, and that doubles the cost
class Question:
    """One order to be decided on.

    Args:
        open: units still open, by line position.
        supply: the snapshot; every SKU of the order has been fetched into it.
        currency: what the owner's costs are counted in.
        approved: hold codes a person has approved for this revision.
        sequence: the decision's number within the order.
        purpose: ``route`` or ``reserve``.
        program: digest under which the rules are stored.
        excluded: ``(line position, node position, reason)`` of nodes that have rejected the line.
        avoided: the same, of nodes that have lately rejected its SKU for another order.
        rejections: how often nodes have rejected work of this order; from `max_attempts` of the
            options on (0: never) it waits for a person.
        normal: the order's destination is in its normal form; False for decisions that were made
            before there was one.
        coarse: how the point was found where that is not by its postal code: a word of
            `COARSENESS` and the geocoder's name, such as ``"region postal"``.
        rate: from the order's currency to `currency`, as decimal text, and the day it is in force
            since; empty texts where the table has none.
        made: domcore's version and the rule engine's name, for the record.
        generation: the planner and the facts that the record names: ours, unless an earlier
            decision is made again.
        format: the format the record is written in.
        past: what earlier decisions have placed; None where nothing stands.
        signals: open work and demand, where a rule reads them.
    """

    order: Order
    open: tuple[int, ...]
    supply: Supply
    now: datetime
    currency: str
    approved: tuple[str, ...] = ()
    sequence: int = 1
    purpose: str = "route"
    options: Options = Options()
    made: tuple[str, str] = ("", "")
    program: str = ""
    excluded: tuple[tuple[int, int, str], ...] = ()
    avoided: tuple[tuple[int, int, str], ...] = ()
    rejections: int = 0
    normal: bool = True
    coarse: str = ""
    rate: tuple[str, str] = ("", "")
    generation: Generation = CURRENT
    format: int = FORMAT
    past: Past | None = None
    signals: Signals | None = None

    @property
    def exchange(self) -> str:
        """The rate by which the order's amounts are compared: the one that a person said with the
        approval, else the table's; empty where its currency is the owner's, or there is none."""
        if self.order.currency == self.currency:
            return ""
        said = [code for code in self.approved if code.startswith(SAID_RATE)]
        return said[-1].removeprefix(SAID_RATE) if said else self.rate[0]


class Outside(Protocol):
    """The answers of foreign plugins: asked for while deciding, read back while replaying.

    An implementation never raises: a plugin that fails is an incident, and its answer is empty.
    """

    @property
    def answers(self) -> Mapping[str, Any]:
        """Everything answered so far, as JSON values for the record."""
        ...

    @property
    def incidents(self) -> Sequence[str]:
        """What went wrong in plugins, one line each."""
        ...

    def facts(self, order: Order, candidates: Sequence[Candidate]) -> Facts:
        """Foreign facts by candidate key, or ``"order"``; checked against their specs."""
        ...

    def directives(
        self, order: Order, candidates: Sequence[Candidate], facts: Facts
    ) -> tuple[Directive, ...]:
        """What judging plugins say."""
        ...

    def plan(
        self,
        order: Order,
        candidates: Sequence[Candidate],
        policy: Policy,
        check: Callable[[str, Plan], None],
    ) -> tuple[str, Plan] | None:
        """The first plan a plugin offers that `check` lets pass, with the plugin's name.

        `check` raises PluginError for a plan that breaks policy or stock.
        """
        ...

    def review(self, order: Order, plan: Plan) -> tuple[Hold, ...]:
        """Reasons to stop."""
        ...
