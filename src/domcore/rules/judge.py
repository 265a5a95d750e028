"""Judging one order: stages of chaining, then every rule, then plugins' directives, merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from domcore.errors import PluginError
from domcore.model.policy import COST_BASES, HOLD_STAGES, Directive, Hold
from domcore.rules.builtin_facts import PER_LINE_CANDIDATE
from domcore.rules.columns import Column
from domcore.rules.consequence import finer_than_a_gram
from domcore.rules.goods import FLOORED, PHYSICAL, Floor, Goods
from domcore.rules.layers import CompiledRule
from domcore.rules.merge import Merge
from domcore.rules.node_state import NodeState
from domcore.rules.readers import CandidateReader, Sitting
from domcore.rules.scopes import Scope
from domcore.rules.signals import SIGNALS, signal_values
from domcore.rules.stages import Firing
from domcore.rules.tree import FactRef

EVERY_NODE: Final = -1


@frozen(slots=True)
class Clause:
    """One rule made ready to be asked: its condition's parts and its consequence.

    `nodes` says whether the condition tells nodes apart; `partner` is the index of its own nodes
    in the node state.
    """

    rule: CompiledRule
    scope: Scope
    nodes: bool
    partner: bool


class Judging:
    """One order on its way through the rules: what mask functions may look at.

    Candidate facts are worked out for the nodes of `within` only; nothing is said of others.
    """

    __slots__ = (
        "_candidate_readers", "_columns", "_goods", "_within", "line_hits", "order_hits", "sitting",
        "state",
    )  # fmt: skip

    def __init__(
        self,
        firing: Firing,
        state: NodeState,
        within: int,
        candidate_readers: Mapping[str, CandidateReader],
    ) -> None:
        self.sitting: Sitting = firing.sitting
        self.order_hits = firing.order_hits
        self.line_hits = firing.line_hits
        self.state = state
        self._within = within
        self._candidate_readers = candidate_readers
        self._columns: dict[tuple[str, int], Column] = {}
        self._goods: Goods | None = None

    def candidate_column(self, key: str, line: int) -> Column:
        """A candidate fact of every node; `line` is -1 where it is the same for all lines."""
        column = self._columns.get((key, line))
        if column is None:
            column = Column(self._values(key, line))
            self._columns[key, line] = column
        return column

    def candidate_value(self, fact: FactRef, line: int, position: int) -> Any:
        """One candidate fact of one node, for one line."""
        place = line if fact.name in PER_LINE_CANDIDATE else -1
        return self.candidate_column(fact.key, place).values.get(position)

    def lift(self, floors: Sequence[Floor]) -> None:
        """Say what rules protect; facts of what may be taken are worked out anew from it."""
        self._goods = Goods(self.sitting.request, self._positions(), floors)
        for key in [key for key in self._columns if key[0] in FLOORED]:
            del self._columns[key]

    def _values(self, key: str, line: int) -> dict[int, Any]:
        request = self.sitting.request
        if key == "candidate.distance_km":
            metres = request.distances
            return {at: metres[at] * 1_000 for at in self._positions() if at in metres}
        if key == "candidate.ships_already":
            return {at: at in request.used for at in self._positions()}
        if key in SIGNALS:
            if request.signals is None:
                return {}
            sku, known = request.lines[line].line.sku, line < len(request.available)
            held = request.available[line] if known else {}
            return signal_values(key, request.signals, sku, held, self._positions())
        if key in FLOORED or key in PHYSICAL:
            if self._goods is None:
                self._goods = Goods(request, self._positions())
            return self._goods.values(key, line)
        read, nodes = self._candidate_readers[key], self.state.nodes
        return {at: read(self.sitting, nodes[at].id) for at in self._positions()}

    def _positions(self) -> list[int]:
        mask, found = self._within, []
        while mask:
            low = mask & -mask
            found.append(low.bit_length() - 1)
            mask ^= low
        return found


def ask(clauses: Sequence[Clause], judging: Judging, merge: Merge, active: int) -> None:
    """Put every active rule to the order and hand what they say to `merge`."""
    lines = range(merge.lines)
    order_hits, line_hits = judging.order_hits, judging.line_hits
    for clause in clauses:
        if not active >> clause.rule.number & 1:
            continue
        scope = clause.scope
        guard = scope.guard
        if guard is None:
            places: Sequence[int] = lines if scope.per_line else (-1,)
        else:
            per_line, stage, number = guard
            if per_line:
                hits = line_hits[stage]
                places = [line for line in lines if hits[line] >> number & 1]
            elif order_hits[stage] >> number & 1:
                places = lines if scope.per_line else (-1,)
            else:
                continue
        for line in places:
            _speak(clause, judging, merge, line)


def _speak(clause: Clause, judging: Judging, merge: Merge, line: int) -> None:
    """Let one rule speak of the order (-1) or of one line."""
    rule, scope, state = clause.rule, clause.scope, judging.state
    own = merge.within & state.own[rule.source] if clause.partner else merge.within
    mask = own
    if clause.nodes:
        if scope.node_test is not None:
            mask &= state.tests[scope.node_test]
        if scope.rest is not None and mask:
            mask &= scope.rest(judging, line)
        if not mask and rule.rule.verb != "require":
            return
    elif clause.partner and not mask:
        return
    told = mask if clause.nodes or clause.partner else EVERY_NODE
    merge.fired.append((rule.number, line, told))
    if rule.rule.verb != "hold":
        merge.say(
            rule.rule.verb, rule.arguments, line, mask,
            own=own, soft=rule.rule.soft, rank=rule.rank, rule=(rule.number, rule.address),
        )  # fmt: skip
    else:
        hold = Hold(rule.address, rule.reason, rule.arguments["stage"])
        merge.hold(hold, judging.sitting.request.approved)


def hear(
    directives: Sequence[Directive], judging: Judging, merge: Merge, first_number: int
) -> None:
    """Take in what judging plugins say, by the same law.

    Raises:
        PluginError: a directive is not one; nothing of it counts.
    """
    if not directives:
        return
    request, state = judging.sitting.request, judging.state
    numbers = {line.line.id: number for number, line in enumerate(request.lines)}
    rules: dict[str, tuple[int, str]] = {}
    for offset, directive in enumerate(directives):
        check_directive(directive)
        if directive.nodes is None:
            mask, told = merge.within, EVERY_NODE
        else:
            mask = told = state.mask(directive.nodes) & merge.within
        named = directive.lines
        places = [-1] if named is None else [numbers[line] for line in named if line in numbers]
        for line in places:
            merge.fired.append((first_number + offset, line, told))
            if directive.verb == "hold":
                stage = directive.arguments.get("stage", "release")
                merge.hold(Hold(directive.rule, directive.reason, stage), request.approved)
                continue
            arguments = {**_SPLIT, **directive.arguments}
            merge.say(
                directive.verb, arguments, line, mask,
                own=merge.within, soft=directive.soft, rank=directive.rank,
                rule=rules.setdefault(directive.rule, (first_number + offset, directive.rule)),
            )  # fmt: skip


_SPLIT: Final = {"max_nodes": None, "ship_complete": None}


def check_directive(directive: Directive) -> None:
    """Refuse a directive of a plugin that no rule could have said.

    Raises:
        PluginError: naming the plugin, or the whole of ``plugin/name`` where it names none.
    """
    plugin = directive.rule.partition("/")[0]
    arguments = directive.arguments
    wrong = ""
    if directive.verb not in _ALLOWED:
        wrong = f"no verb {directive.verb!r}"
    elif set(arguments) - _ALLOWED[directive.verb]:
        wrong = f"{directive.verb} has no {min(set(arguments) - _ALLOWED[directive.verb])!r}"
    elif directive.verb == "cost":
        if not _is_count(arguments.get("amount")) or arguments.get("per") not in COST_BASES:
            wrong = "cost needs an amount in micros, 0 or more, and what it is per"
        elif directive.lines is not None and arguments["per"] in ("parcel", "km"):
            wrong = f"a cost per {arguments['per']} cannot belong to one line"
        else:
            wrong = finer_than_a_gram(arguments["amount"], arguments["per"])
    elif directive.verb == "protect" and not _is_count(arguments.get("quantity")):
        wrong = "protect needs a quantity, 0 or more"
    elif directive.verb == "split":
        most, whole = arguments.get("max_nodes"), arguments.get("ship_complete")
        if not (most is None or (_is_count(most) and most)) or not (
            whole is None or type(whole) is bool
        ):
            wrong = "split needs max_nodes of 1 or more, or ship_complete"
    elif directive.verb == "hold" and arguments.get("stage", "release") not in HOLD_STAGES:
        wrong = f"a hold's stage is one of {', '.join(HOLD_STAGES)}"
    if directive.soft and directive.verb in ("cost", "hold"):
        wrong = f"{directive.verb} cannot be soft"
    if wrong:
        raise PluginError(plugin, "judge", f"{directive.rule}: {wrong}")


_ALLOWED: Final = {
    "exclude": frozenset[str](),
    "require": frozenset[str](),
    "cost": frozenset({"amount", "per"}),
    "protect": frozenset({"quantity"}),
    "split": frozenset({"max_nodes", "ship_complete"}),
    "hold": frozenset({"stage"}),
}


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0
