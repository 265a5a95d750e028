"""How a plan that uses a node compares to the one that was chosen, in words."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from domcore.explanation import counted
from domcore.sourcing.alternatives import Alternative, terms_of
from domcore.sourcing.planner.problem import Problem, Solution

DEARER: Final = "dearer"
_MISSED: Final = "and was not found when this was decided"


@frozen(slots=True)
class Compared:
    """A verdict and a reason of `NodeStory`; `extra` is what it costs more, where that decides."""

    verdict: str
    reason: str
    extra: int | None = None


def compared(problem: Problem, ours: Solution, other: Alternative) -> Compared:
    """Says what decides between the plan and the best that uses a node.

    Nothing is called impossible, and nothing the best there is, that was not proven.
    """
    if other.solution is None:
        if other.proven:
            return Compared("split", "no plan that the rules allow has room for it")
        return Compared("split", "no plan that uses it was found")
    chosen, theirs = terms_of(problem, ours), terms_of(problem, other.solution)
    more = {name: theirs[name] - chosen[name] for name in chosen if theirs[name] != chosen[name]}
    if not more:
        reason = "costs the same; the tie goes to the node that sorts first"
        return Compared("tie", reason, 0)
    decisive, difference = next(iter(more.items()))
    if difference < 0:
        return _better(decisive, difference)
    best = "the best plan that uses it" if other.proven else "the best plan found that uses it"
    if decisive == "short":
        reason = f"{best} leaves {counted(difference, 'more unit')} unshipped"
    elif decisive == "cost":
        cheapest = "the cheapest plan that uses it" if other.proven else best
        return Compared(DEARER, f"{cheapest} costs more", difference)
    else:
        reason = f"{best} needs {counted(difference, 'more ' + decisive.removesuffix('s'))}"
    return Compared(decisive, reason)


def _better(decisive: str, difference: int) -> Compared:
    """The plan was not proven, or is a plugin's, and this look has found a better one."""
    if decisive == "cost":
        return Compared("better", f"a plan that uses it costs less, {_MISSED}", difference)
    if decisive == "short":
        told = f"leaves {counted(-difference, 'fewer unit')} unshipped"
    else:
        told = f"needs {counted(-difference, 'fewer ' + decisive.removesuffix('s'))}"
    return Compared("better", f"a plan that uses it {told}, {_MISSED}")
