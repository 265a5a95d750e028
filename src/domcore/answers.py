"""What planning plugins answer, looked at closely before any of it counts or is written down."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from domcore.codec.text import is_text
from domcore.errors import PluginError
from domcore.model import Allocation, Directive, Hold, Parcel, Plan
from domcore.model.money import MOST
from domcore.model.policy import HOLD_STAGES
from domcore.rules.judge import check_directive

LONGEST: Final = 1_000
"""Characters in any text a plugin gives."""

MOST_RANK: Final = 1_000_000

MOST_PREPARED: Final = 100_000
"""Bytes of JSON that a plugin may have stored with one decision."""

DEEPEST: Final = 20


def checked_directive(plugin: str, directive: Directive) -> Directive:
    """The directive, once it is known to be one that a rule could have said.

    Raises:
        PluginError: saying which field is wrong.
    """
    wrong = ""
    rank = directive.rank
    if not _is_text(directive.rule) or not directive.rule:
        wrong = "its rule is not a text"
    elif not _is_text(directive.verb) or not _is_text(directive.reason):
        wrong = "its verb or reason is not a plain text"
    elif not _is_names(directive.nodes) or not _is_names(directive.lines):
        wrong = "its nodes and lines are tuples of ids, or None for all"
    elif type(directive.soft) is not bool:
        wrong = "soft is True or False"
    elif not (
        type(rank) is tuple
        and len(rank) == 2
        and all(type(part) is int and abs(part) <= MOST_RANK for part in rank)
    ):
        wrong = "its rank is (layer, priority)"
    elif not _is_arguments(directive.arguments):
        wrong = "its arguments are numbers, texts or bools by name"
    if wrong:
        raise PluginError(plugin, "judge", f"gave a directive that is none: {wrong}")
    check_directive(directive)
    return directive


def checked_hold(plugin: str, hold: Hold) -> Hold:
    """The hold, once it is known to be one.

    Raises:
        PluginError: its code, reason or stage is not one.
    """
    if not (_is_text(hold.code) and hold.code and _is_text(hold.reason)):
        raise PluginError(plugin, "review_plan", "gave a hold whose code or reason is not a text")
    if hold.stage not in HOLD_STAGES:
        raise PluginError(
            plugin, "review_plan", f"gave a hold whose stage is none of {', '.join(HOLD_STAGES)}"
        )
    return hold


def checked_plan(plugin: str, plan: Plan) -> Plan:
    """The plan, once every field that the core reads has the type it should have.

    Raises:
        PluginError: one has not.
    """
    allocations, parcels = plan.allocations, plan.parcels
    if not (type(allocations) is tuple and all(_is_allocation(each) for each in allocations)):
        raise PluginError(plugin, "make_plan", "its allocations are no tuple of Allocation")
    if not (type(parcels) is tuple and all(_is_parcel(each) for each in parcels)):
        raise PluginError(plugin, "make_plan", "its parcels are no tuple of Parcel")
    return plan


def checked_prepared(plugin: str, answer: Any, keys: set[str]) -> dict[str, Any]:
    """What `prepare` answered, by order, as the JSON values that a record gives back.

    Raises:
        PluginError: it is no mapping, speaks of an order it was not asked about, or a value of it
            cannot be stored as JSON.
    """
    if not isinstance(answer, Mapping):
        raise PluginError(plugin, "prepare", "returned no mapping")
    checked: dict[str, Any] = {}
    for key, value in answer.items():
        if key not in keys:
            raise PluginError(plugin, "prepare", "speaks of an order it was not asked about")
        body = msgspec.json.encode(value) if _is_json(value, DEEPEST) else b""
        if not body or len(body) > MOST_PREPARED:
            raise PluginError(
                plugin, "prepare",
                f"gave a value that is no JSON of at most {MOST_PREPARED:,} bytes",
            )  # fmt: skip
        checked[key] = msgspec.json.decode(body)
    return checked


def frozen_json(value: Any) -> Any:
    """A JSON value that nobody can change: mappings for objects, tuples for arrays."""
    if isinstance(value, dict):
        return MappingProxyType({name: frozen_json(part) for name, part in value.items()})
    if isinstance(value, list):
        return tuple(frozen_json(part) for part in value)
    return value


def _is_json(value: Any, depth: int) -> bool:
    """Plain values that are the same after they have been written and read."""
    if value is None or type(value) is bool:
        return True
    if type(value) is int:
        return abs(value) <= MOST
    if type(value) is float:
        return value - value == 0
    if type(value) is str:
        return is_text(value)
    if depth and type(value) in (list, tuple):
        return all(_is_json(part, depth - 1) for part in value)
    if depth and type(value) is dict:
        return all(
            type(name) is str and _is_json(name, 0) and _is_json(part, depth - 1)
            for name, part in value.items()
        )
    return False


def _is_allocation(value: Any) -> bool:
    return (
        isinstance(value, Allocation)
        and _is_text(value.line)
        and _is_text(value.sku)
        and _is_text(value.node)
        and type(value.quantity) is int
    )


def _is_parcel(value: Any) -> bool:
    return (
        isinstance(value, Parcel)
        and _is_text(value.node)
        and type(value.contents) is tuple
        and all(
            type(part) is tuple
            and len(part) == 2
            and _is_text(part[0])
            and type(part[1]) is int
            and part[1] > 0
            for part in value.contents
        )
    )


def _is_text(value: Any) -> bool:
    """A str that can be stored: not overlong, and without half characters."""
    return type(value) is str and len(value) <= LONGEST and value.isprintable()


def _is_names(value: Any) -> bool:
    return value is None or (type(value) is tuple and all(_is_text(name) for name in value))


def _is_arguments(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        _is_text(name)
        and (
            part is None
            or type(part) is bool
            or _is_text(part)
            or (type(part) is int and abs(part) <= MOST)
        )
        for name, part in value.items()
    )
