"""What the rules say of one order: single directives, and the policy they merge into."""

from __future__ import annotations

from typing import Any, Final

from attrs import field, frozen

HOLD_STAGES: Final = ("route", "release")
COST_BASES: Final = ("parcel", "line", "unit", "kg", "km")


@frozen(slots=True)
class Hold:
    """A reason to stop, for a person to look at.

    Args:
        code: who says so: ``pack/rule``, ``domcore/address``, ``plugin/name``.
        reason: in words.
        stage: ``route`` stops before anything is reserved; ``release`` reserves and then waits.
    """

    code: str
    reason: str
    stage: str = "release"


@frozen(slots=True)
class Directive:
    """What one rule (or one judging plugin) says.

    Args:
        rule: ``pack/rule``, or ``plugin/name``.
        verb: exclude, require, cost, protect, split or hold.
        nodes: ids of the nodes it speaks of; None for every node.
        lines: ids of the order lines it speaks of; None for the whole order.
        arguments: by verb: cost ``{"amount": micros, "per": basis}``, protect ``{"quantity": n}``,
            split ``{"max_nodes": n, "ship_complete": bool}``, hold ``{"stage": stage}``.
        soft: whether the second pass may drop it.
        rank: ``(layer, priority)``; higher speaks louder where only one can be heard.
    """

    rule: str
    verb: str
    reason: str = ""
    nodes: tuple[str, ...] | None = None
    lines: tuple[str, ...] | None = None
    arguments: dict[str, Any] = field(factory=dict)
    soft: bool = False
    rank: tuple[int, int] = (0, 0)


@frozen(slots=True)
class Split:
    """How an order may be spread. `max_nodes` None is any number."""

    max_nodes: int | None = None
    ship_complete: bool = False


@frozen(slots=True)
class Terms:
    """One pass's view of a policy, in node masks (bit ``i`` is the network's node ``i``).

    Args:
        barred: per order line, the nodes that may not ship it.
        floors: ``(line or -1 for all, node mask, quantity)``: at least so much stays there; the
            largest that speaks counts.
        split: how the order may be spread.
    """

    barred: tuple[int, ...]
    floors: tuple[tuple[int, int, int], ...] = ()
    split: Split = Split()


@frozen(slots=True)
class Policy:
    """All directives for one order, merged by the precedence law, ready for the planner.

    Args:
        first: what holds in the first pass.
        second: the same without soft directives; None when nothing was soft.
        costs: ``(basis, line or -1 for all, node mask, micros)``; they add up.
        holds: reasons to stop, in order of code.
        fired: which rules fired on what, compactly: ``(rule number in the program, line or -1,
            node mask or -1 for the whole order)``.
        unread: what rules wanted to read and could not, in words; those facts are missing.
    """

    first: Terms
    second: Terms | None = None
    costs: tuple[tuple[str, int, int, int], ...] = ()
    holds: tuple[Hold, ...] = ()
    fired: tuple[tuple[int, int, int], ...] = ()
    cost_rules: tuple[tuple[int, str], ...] = ()
    unread: tuple[str, ...] = ()
