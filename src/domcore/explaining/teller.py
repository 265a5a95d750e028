"""A decision told from its workings: the plan, the rules that spoke, and every loser's reason."""

from __future__ import annotations

from domcore.explaining.nodes import NodeTeller
from domcore.explaining.story import explanation_of
from domcore.explanation import Explanation
from domcore.rules.facts import FactRegistry
from domcore.rules.node_state import NodeState
from domcore.rules.program import Program
from domcore.sourcing.decide import Decided, Working


class Teller:
    """Turns the workings of one decision into an `Explanation`."""

    def __init__(
        self,
        program: Program,
        state: NodeState,
        decided: Decided,
        working: Working,
        facts: FactRegistry,
    ) -> None:
        self.decided = decided
        self._working = working
        self._nodes = NodeTeller(program, state, decided, working, facts)

    def tell(self, *, replayed: bool, why_not: str | None = None) -> Explanation:
        """The whole story; with `why_not`, a node of the network, also that node's in detail."""
        asked = None if why_not is None else self._nodes.node(why_not)
        others, more = self._nodes.others(asked)
        return explanation_of(
            self._working.question,
            self.decided.plan,
            self.decided.holds,
            others=others,
            others_untold=more,
            rules=self._nodes.rules(),
            replayed=replayed,
            incidents=self.decided.incidents,
            asked=asked,
        )
