"""The ways into an explanation: a plan just made, or a decision that was stored."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from domcore.errors import ConfigurationError, NotFound, PluginError
from domcore.explaining.recorded import tell_recorded
from domcore.explaining.teller import Teller
from domcore.explanation import Explanation
from domcore.model import Network, Order
from domcore.outside import RecordedOutside
from domcore.planning import PlanningKit
from domcore.rules.facts import FactRegistry
from domcore.rules.node_state import NodeState
from domcore.rules.program import Program
from domcore.sourcing import record as records
from domcore.sourcing.decide import Decided, Working, work_out
from domcore.sourcing.field import Field
from domcore.sourcing.generation import CURRENT
from domcore.sourcing.question import Question


def explain_plan(
    question: Question,
    decided: Decided,
    program: Program,
    state: NodeState,
    facts: FactRegistry,
) -> Explanation:
    """Explain a plan of which nothing was stored, from the question that it answers."""
    answers = records.decode(decided.record).get("outside")
    outside = RecordedOutside(answers) if answers else None
    again, working = work_out(question, program, state, outside)
    told = Teller(program, state, again, working, facts).tell(
        replayed=again.record == decided.record
    )
    return evolve(told, sequence=None)


def explain_stored(
    kit: PlanningKit, order_id: int, why_not: str | None, sequence: int | None
) -> Explanation:
    """Explain a stored decision on an order, the last one unless told otherwise.

    Raises:
        NotFound: nothing has been decided, there is no decision of that number, or `why_not` is
            no node of that decision's network.
    """
    decisions = {each.sequence: each for each in kit.store.decisions(order_id)}
    status = kit.store.order(order_id).summary.status
    if not decisions:
        raise NotFound(f"nothing has been decided on this order yet; it is {status}")
    if sequence is not None and sequence not in decisions:
        raise NotFound(f"there is no decision {sequence}; the last is {max(decisions)}")
    stored = decisions[max(decisions) if sequence is None else sequence]
    record = records.decode(stored.record)
    order = kit.store.revision(order_id, record["revision"])
    question = question_of(kit, record, order)
    if why_not is not None and why_not not in question.supply.field.position:
        raise NotFound(f"there is no node {why_not!r} in the network of this decision")
    told = _told(kit, question, record, stored.record, why_not)
    others = tuple(number for number in decisions if number != stored.sequence)
    return evolve(told, status=status, other_decisions=others)


def _told(
    kit: PlanningKit, question: Question, record: dict[str, Any], stored: bytes, why_not: str | None
) -> Explanation:
    """Made again where that gives the same bytes, else told from the record."""
    ours = question.generation == CURRENT
    try:
        teller = _replay(kit, question, record)
    except (ConfigurationError, PluginError):
        if ours:
            raise
        return tell_recorded(kit, question, record, why_not)
    replayed = teller.decided.record == stored
    if replayed or ours:
        return teller.tell(replayed=replayed, why_not=why_not)
    return tell_recorded(kit, question, record, why_not)


def replay(kit: PlanningKit, record: dict[str, Any], order: Order) -> Teller:
    """Decide again what a record says was asked, by the rules and the network of then."""
    return _replay(kit, question_of(kit, record, order), record)


def holds_now(kit: PlanningKit, order_id: int) -> frozenset[str]:
    """The codes of the holds that the rules of now would place, at this time, on what the last
    decision on an order was asked; none where nothing has been decided."""
    decisions = kit.store.decisions(order_id)
    if not decisions:
        return frozenset()
    record = records.decode(max(decisions, key=lambda each: each.sequence).record)
    order = kit.store.revision(order_id, record["revision"])
    approved = kit.store.order(order_id).approved
    question = evolve(question_of(kit, record, order), now=kit.now(), approved=approved)
    program, _ = kit.program(question.order)
    state = program.node_state(question.supply.field.nodes)
    answers = record.get("outside")
    outside = RecordedOutside(answers) if isinstance(answers, dict) else None
    decided, _ = work_out(question, program, state, outside)
    return frozenset(hold.code for hold in decided.holds)


def question_of(kit: PlanningKit, record: dict[str, Any], order: Order) -> Question:
    """What was asked when a record was made, with the network of then."""
    from domcore.codec.stored import Bodies  # only replaying reads stored networks

    digest = str(record["network"])
    network = Bodies().network.load(kit.store.blob(digest)) if digest else Network(())
    return records.question_from(record, order, Field(network, digest=digest))


def _replay(kit: PlanningKit, question: Question, record: dict[str, Any]) -> Teller:
    return Teller(*workings(kit, question, record), kit.programs.facts)


def workings(
    kit: PlanningKit, question: Question, record: dict[str, Any]
) -> tuple[Program, NodeState, Decided, Working]:
    """A question decided again by the rules that its record names."""
    program = kit.programs.restore(str(record["program"]))
    state = program.node_state(question.supply.field.nodes)
    answers = record.get("outside")
    outside = RecordedOutside(answers) if isinstance(answers, dict) else None
    return program, state, *work_out(question, program, state, outside)
