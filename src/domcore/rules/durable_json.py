"""Rules in durable_rules' own JSON form, brought into the pack's form.

``{"name": {"all": [{"m": {"$gt": {"order.value": 100}}}], "run": "hold"}}`` says what the rule
``when = "order.value > 100"``, ``then = "hold"`` says. What joins several facts, counts them,
matches patterns, computes or reads engine state has no counterpart here and is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from domcore.rules.expression import DEEPEST
from domcore.rules.problems import Problems, shown
from domcore.rules.tables import FloatText

_COMPARISONS: Final = {"$neq": "!=", "$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}\Z")
_ALIAS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_KNOWN: Final = ("all", "any", "run", "pri")
_ELSEWHERE: Final = {
    "$mt": "pattern matching",
    "$imt": "pattern matching",
    "$iall": "matching inside arrays",
    "$iany": "matching inside arrays",
    "$add": "arithmetic",
    "$sub": "arithmetic",
    "$mul": "arithmetic",
    "$div": "arithmetic",
    "$s": "reading engine state",
    "count": "counting facts",
    "cap": "counting facts",
    "dist": "distribution",
    "span": "time spans",
}


class _Unfit(ValueError):  # noqa: N818 - an outcome, collected as a problem
    """A rule has no counterpart in the pack's form."""


def rule_trees(rules: Any, problems: Problems) -> list[dict[str, Any]]:
    """The rules as ``[[rule]]`` tables; what does not fit goes to `problems`."""
    if not isinstance(rules, Mapping):
        problems.add("durable_rules' form is a table of rules by name", "durable")
        return []
    trees = []
    for name, rule in rules.items():
        try:
            trees.append(_rule(name, rule))
        except _Unfit as unfit:
            problems.add(str(unfit), f"rule {str(name)[:64]}")
    return trees


def _rule(name: str, rule: Any) -> dict[str, Any]:
    if not isinstance(rule, Mapping):
        raise _Unfit("a rule is a table with 'all' or 'any' and 'run'")
    for key in rule:
        if key not in _KNOWN:
            raise _Unfit(f"{_ELSEWHERE.get(key, shown(key))} has no counterpart in a pack")
    heads = [key for key in ("all", "any") if key in rule]
    if len(heads) != 1 or "run" not in rule:
        raise _Unfit("a rule has either 'all' or 'any', and 'run' naming a verb")
    tree: dict[str, Any] = {"id": name, "when": _when(heads[0], rule[heads[0]])}
    tree["then"] = rule["run"]
    if "pri" in rule:
        if type(rule["pri"]) is not int:
            raise _Unfit("'pri' is a whole number")
        # There the lowest number goes first; here the highest priority speaks loudest.
        tree["priority"] = -rule["pri"]
    return tree


def _when(head: str, parts: Any) -> str:
    if not isinstance(parts, list) or not parts:
        raise _Unfit(f"{head!r} is a list of conditions")
    if head == "all" and len(parts) > 1:
        raise _Unfit("a join of several facts has no counterpart: write one condition with $and")
    texts = []
    for part in parts:
        if not isinstance(part, Mapping) or len(part) != 1:
            raise _Unfit('a condition is written {"m": {...}}')
        alias, condition = next(iter(part.items()))
        if not _ALIAS.match(alias):
            raise _Unfit(f"{shown(alias)}: nested all, any and not have no counterpart")
        texts.append(_condition(condition, alias, 0))
    return " or ".join(f"({text})" for text in texts) if len(texts) > 1 else texts[0]


def _condition(condition: Any, alias: str, depth: int) -> str:
    if depth > DEEPEST:
        raise _Unfit(f"nested more than {DEEPEST} levels deep")
    if not isinstance(condition, Mapping) or len(condition) != 1:
        raise _Unfit("each condition has exactly one key; join several with $and")
    key, value = next(iter(condition.items()))
    if key in ("$and", "$or"):
        if not isinstance(value, list) or not value:
            raise _Unfit(f"{key} joins a list of conditions")
        word = key.removeprefix("$")
        return f" {word} ".join(f"({_condition(part, alias, depth + 1)})" for part in value)
    if key in ("$ex", "$nex"):
        return f"{_field(_pair(key, value)[0])} is {'not ' if key == '$ex' else ''}None"
    if key in _COMPARISONS:
        field, right = _pair(key, value)
        return f"{_field(field)} {_COMPARISONS[key]} {_value(right, alias)}"
    if key.startswith("$"):
        raise _Unfit(f"{_ELSEWHERE.get(key, shown(key))} has no counterpart in a pack")
    return f"{_field(key)} == {_value(value, alias)}"


def _pair(key: str, value: Any) -> tuple[str, Any]:
    if not isinstance(value, Mapping) or len(value) != 1:
        raise _Unfit(f"{key} takes one field")
    return next(iter(value.items()))


def _field(name: str) -> str:
    if not _FIELD.match(name):
        raise _Unfit(f"{shown(name)} is not a fact's name, such as 'order.value'")
    return name


def _value(value: Any, alias: str) -> str:
    """A constant, or another field of the same fact, as a condition writes it."""
    if isinstance(value, Mapping):
        other, field = _pair("a reference", value)
        if other != alias or not isinstance(field, str):
            raise _Unfit("arithmetic and joins of several facts have no counterpart in a pack")
        return _field(field)
    if type(value) in (bool, int):
        return str(value)
    if type(value) is FloatText:
        return str(value)
    if type(value) is not str:
        raise _Unfit(f"{shown(value)} is not a constant rules know")
    quote = '"' if "'" in value else "'"
    if quote in value or "\\" in value or not value.isprintable():
        raise _Unfit(f"{shown(value)} cannot be written in a condition")
    return f"{quote}{value}{quote}"
