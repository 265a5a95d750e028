"""Rules that withhold goods from every order alike, so that channels need not be told of them."""

from __future__ import annotations

from typing import Final

from domcore.rules.layers import CompiledRule
from domcore.rules.tree import All, Any_, Condition, ForLines, Not, leaves

WITHHOLD: Final = ("exclude", "require", "protect")

_GOODS: Final = frozenset(
    (
        "order.owner",
        "order.channel",
        "line.sku",
        "line.unit_weight",
        "line.longest_side",
        "line.category",
        "line.tags",
        "candidate.available",
        "candidate.physical",
    )
)
"""Facts besides those of nodes and of the hour that are the same for every order of an item; tags
are those of the item, for a line's own are not known before there is one."""


def is_standing(rule: CompiledRule) -> bool:
    """Whether a rule withholds goods, and nothing that it reads depends on the order."""
    if rule.rule.verb not in WITHHOLD:
        return False
    if _looks_at_lines(rule.condition):
        return False
    return all(
        fact.name in _GOODS or fact.entity == "node" or fact.name.startswith("now.")
        for leaf in leaves(rule.condition)
        for fact in leaf.facts
    )


def _looks_at_lines(condition: Condition) -> bool:
    """Whether a condition asks about the other lines of an order."""
    if isinstance(condition, Not):
        return _looks_at_lines(condition.part)
    if isinstance(condition, All | Any_):
        return any(map(_looks_at_lines, condition.parts))
    return isinstance(condition, ForLines)
