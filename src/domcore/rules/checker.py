"""Giving types to a condition: accepted syntax in, typed tree out."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from domcore.model.clock import to_micros
from domcore.model.facts import FactSpec
from domcore.model.money import MICROS, MOST, micros
from domcore.rules.builtin_facts import LONGEST_TEXT, zone
from domcore.rules.expression import ELAPSED, OPEN_LINES, QUANTIFIERS, Expression, Refusal
from domcore.rules.hints import fact_hint
from domcore.rules.lists import PackList
from domcore.rules.problems import shown, suggestion
from domcore.rules.tree import (
    COMPARE,
    FALSE,
    MIRRORED,
    TRUE,
    Condition,
    FactRef,
    ForLines,
    Leaf,
    Not,
    entities,
    joined,
    negated,
)

_OPERATORS: Final = {
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "lte", ast.Gt: "gt", ast.GtE: "gte",
}  # fmt: skip
_ACCEPTS: Final = {
    "bool": ("bool",),
    "int": ("int",),
    "decimal": ("int", "decimal"),
    "money": ("int", "decimal", "money"),
    "text": ("text",),
    "time": ("text",),
}
_WRITTEN: Final = {
    "bool": "True or False",
    "int": "a whole number",
    "decimal": "a number",
    "money": "an amount such as 12.50",
    "text": "text in quotes",
    "time": "a time in quotes, such as '2026-11-27 18:00'",
}


_STILL_OPEN: Final = Leaf(
    "gte", FactRef("line.open", "line.open", "int", "line"), 1, text="line.open >= 1"
)
"""What a loop over ``open_lines`` asks of each line besides."""


@frozen(slots=True)
class Constant:
    """A constant of a condition. Decimals and money are in millionths already."""

    kind: str
    value: Any
    named: bool = False


@frozen(slots=True)
class Environment:
    """What a pack's conditions may speak of."""

    facts: Mapping[str, FactSpec]
    parameters: Mapping[str, Constant]
    timezone: str = "UTC"
    lists: Mapping[str, PackList] = MappingProxyType({})


def check(expression: Expression, environment: Environment) -> Condition:
    """Type a condition.

    Raises:
        Refusal: an unknown fact, a wrong type, or a comparison that means nothing.
    """
    return _Checker(expression, environment).condition(expression.root)


class _Checker:
    def __init__(self, expression: Expression, environment: Environment) -> None:
        self.expression = expression
        self.environment = environment
        self.within_lines = False

    def refuse(self, node: ast.AST, message: str) -> Refusal:
        return Refusal(message, self.expression.column(node))

    # Conditions

    def condition(self, node: ast.expr) -> Condition:
        if isinstance(node, ast.BoolOp):
            parts = [self.condition(value) for value in node.values]
            return joined(parts, every=isinstance(node.op, ast.And))
        if isinstance(node, ast.UnaryOp):
            return negated(self.condition(node.operand))
        if isinstance(node, ast.Compare):
            return self.comparison(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        operand = self.operand(node)
        if isinstance(operand, FactRef) and operand.type == "bool":
            return Leaf("true", operand, text=self.expression.source(node))
        if isinstance(operand, Constant) and operand.kind == "bool":
            return TRUE if operand.value else FALSE
        raise self.refuse(
            node, f"{self.expression.source(node)} is not true or false by itself; compare it"
        )

    def comparison(self, node: ast.Compare) -> Condition:
        parts: list[Condition] = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            text = self.expression.source(node)
            if len(node.ops) > 1:
                # Each link of a chain is shown by itself.
                source = self.expression.text.encode()
                end = right.end_col_offset
                text = source[left.col_offset : end].decode(errors="replace")
            if isinstance(operator, ast.Is | ast.IsNot):
                parts.append(self.presence(operator, left, right, text))
            elif isinstance(operator, ast.In | ast.NotIn):
                inside = self.membership(left, right, text)
                if isinstance(operator, ast.NotIn):
                    inside = self.outside(inside, text)
                parts.append(inside)
            else:
                parts.append(self.compared(_OPERATORS[type(operator)], left, right, text))
            left = right
        return joined(parts, every=True)

    def presence(
        self, operator: ast.cmpop, left: ast.expr, right: ast.expr, text: str
    ) -> Condition:
        fact = self.operand(left)
        if not (isinstance(right, ast.Constant) and right.value is None):
            raise self.refuse(right, "'is' asks for None only; compare values with ==")
        if not isinstance(fact, FactRef):
            raise self.refuse(left, "only a fact can be missing")
        exists = Leaf("exists", fact, text=text)
        return exists if isinstance(operator, ast.IsNot) else Not(exists)

    def membership(self, left: ast.expr, right: ast.expr, text: str) -> Condition:
        if isinstance(right, ast.List | ast.Tuple | ast.Set):
            fact = self.scalar(left)
            values = tuple(self.fitting(fact, self.constant(part), part) for part in right.elts)
            return Leaf("in", fact, tuple(sorted(set(values))), text=text) if values else FALSE
        container, member = self.operand(right), self.operand(left)
        if isinstance(container, Constant) and isinstance(container.value, PackList):
            return self.listed(left, container.value, text)
        if isinstance(container, Constant):
            if container.kind != "texts":
                raise self.refuse(right, "'in' needs a list, a list fact or a text fact")
            fact = self.scalar(left)
            if fact.type != "text":
                raise self.refuse(left, f"{fact.name} is {fact.type}, the list holds texts")
            values = tuple(sorted(set(container.value)))
            return Leaf("in", fact, values, text=text) if values else FALSE
        if container.type not in ("text", "texts"):
            raise self.refuse(right, f"{container.name} is {container.type}: nothing is in it")
        if isinstance(member, FactRef):
            if container.type == "texts" and member.type == "text":
                return Leaf("has", container, other=member, text=text)
            raise self.refuse(left, f"{member.name} cannot be looked for in {container.name}")
        if member.kind != "text":
            raise self.refuse(left, f"{container.name} holds text; write it in quotes")
        if container.type == "texts":
            return Leaf("has", container, member.value, text=text)
        return Leaf("contains", container, (member.value,), text=text)

    def listed(self, node: ast.expr, texts: PackList, text: str) -> Condition:
        """``fact in lists.name``."""
        fact = self.scalar(node)
        if fact.type != "text":
            raise self.refuse(node, f"{fact.name} is {fact.type}, lists.{texts.name} holds texts")
        return Leaf("in", fact, texts, text=text) if len(texts) else FALSE

    def outside(self, inside: Condition, text: str) -> Condition:
        """``not in`` is a comparison too: false where the fact is missing."""
        if not isinstance(inside, Leaf):
            return negated(inside)
        present: list[Condition] = [
            Leaf("exists", fact, text=text) for fact in inside.facts if self.nullable(fact)
        ]
        return joined([*present, Not(inside)], every=True)

    def nullable(self, fact: FactRef) -> bool:
        spec = self.environment.facts.get(fact.name)
        return spec is None or spec.nullable

    def compared(self, op: str, left: ast.expr, right: ast.expr, text: str) -> Condition:
        first, second = self.operand(left), self.operand(right)
        if isinstance(first, Constant):
            if isinstance(second, Constant):
                return self.folded(op, first, second, left)
            op, first, second, left, right = MIRRORED[op], second, first, right, left
        assert isinstance(first, FactRef)  # the constant, if any, is on the right now
        if first.type == "texts":
            raise self.refuse(left, f"{first.name} is a list: ask \"'x' in {first.name}\"")
        if isinstance(second, Constant):
            value = self.fitting(first, second, right)
            if first.type == "bool" and op not in ("eq", "ne"):
                raise self.refuse(left, f"{first.name} is true or false: there is no order")
            return Leaf(op, first, value, text=text)
        if first.type != second.type or (first.type == "bool" and op not in ("eq", "ne")):
            raise self.refuse(
                left,
                f"{first.name} ({first.type}) cannot be compared with"
                f" {second.name} ({second.type})",
            )
        return Leaf(op, first, other=second, text=text)

    def folded(self, op: str, left: Constant, right: Constant, node: ast.expr) -> Condition:
        """A comparison with parameters only is decided when the pack is compiled."""
        if not (left.named or right.named):
            raise self.refuse(node, "this compares two constants; one side must be a fact")
        numbers = ("int", "decimal", "money")
        sides = [
            constant.value * MICROS if constant.kind == "int" else constant.value
            for constant in (left, right)
        ]
        if left.kind != right.kind and not (left.kind in numbers and right.kind in numbers):
            raise self.refuse(node, f"{left.kind} cannot be compared with {right.kind}")
        if left.kind in ("bool", "texts") and op not in ("eq", "ne"):
            raise self.refuse(node, f"{left.kind} values have no order")
        return TRUE if COMPARE[op](*sides) else FALSE

    def call(self, node: ast.Call) -> Condition:
        function = node.func
        if isinstance(function, ast.Attribute):
            return self.affix(function, node)
        if isinstance(function, ast.Name) and function.id in QUANTIFIERS:
            return self.quantifier(function.id, node)
        raise self.refuse(node, "compare the elapsed time with a number")

    def affix(self, function: ast.Attribute, node: ast.Call) -> Condition:
        fact = self.scalar(function.value)
        if fact.type != "text":
            raise self.refuse(node, f"{fact.name} is {fact.type}; {function.attr} is for text")
        argument = node.args[0]
        parts = [argument]
        if isinstance(argument, ast.List | ast.Tuple | ast.Set):
            parts = argument.elts
        values: list[str] = []
        for part in parts:
            constant = self.operand(part)
            if isinstance(constant, Constant) and constant.kind == "texts":
                values += constant.value
            elif isinstance(constant, Constant):
                values.append(self.fitting(fact, constant, part))
            else:
                raise self.refuse(part, f"{function.attr} takes text in quotes")
        op = "starts" if function.attr == "startswith" else "ends"
        return Leaf(op, fact, tuple(sorted(set(values))), text=self.expression.source(node))

    def quantifier(self, kind: str, node: ast.Call) -> Condition:
        if self.within_lines:
            raise self.refuse(node, f"{kind}(...) cannot stand inside another loop over lines")
        generator = node.args[0]
        assert isinstance(generator, ast.GeneratorExp)  # accepted by `read`
        self.within_lines = True
        body = self.condition(generator.elt)
        filters = [self.condition(part) for part in generator.generators[0].ifs]
        if getattr(generator.generators[0].iter, "id", "") == OPEN_LINES:
            filters.append(_STILL_OPEN)
        self.within_lines = False
        beyond = entities(body).union(*map(entities, filters)) & {"node", "candidate"}
        if beyond:
            raise self.refuse(node, f"a loop over lines cannot read {min(beyond)} facts")
        if kind == "all":
            body = joined([*map(negated, filters), body], every=False)
            return ForLines("all", body, text=self.expression.source(node))
        found = ForLines("any", joined([*filters, body], every=True), self.expression.source(node))
        return negated(found) if kind == "none" else found

    # Operands

    def scalar(self, node: ast.expr) -> FactRef:
        fact = self.operand(node)
        if not isinstance(fact, FactRef):
            raise self.refuse(node, "a fact is needed here, not a constant")
        if fact.type == "texts":
            raise self.refuse(node, f"{fact.name} is a list: ask \"'x' in {fact.name}\"")
        return fact

    def operand(self, node: ast.expr) -> FactRef | Constant:
        if isinstance(node, ast.Call):
            return self.elapsed(node)
        if not isinstance(node, ast.Attribute | ast.Name):
            return self.constant(node)
        name = _dotted(node)
        if name.startswith("parameters."):
            known = self.environment.parameters
            parameter = known.get(name.removeprefix("parameters."))
            if parameter is None:
                hint = suggestion(name, [f"parameters.{key}" for key in known])
                raise self.refuse(node, f"no parameter {name!r} in this pack{hint}")
            return parameter
        if name.startswith("lists."):
            there = self.environment.lists.get(name.removeprefix("lists."))
            if there is None:
                hint = suggestion(name, [f"lists.{key}" for key in self.environment.lists])
                raise self.refuse(node, f"no list {name!r} in this pack{hint}")
            return Constant("list", there)
        spec = self.environment.facts.get(name)
        if spec is None:
            hint = fact_hint(name, self.environment.facts)
            raise self.refuse(node, f"no fact {shown(name)}{hint}")
        if name.startswith("now."):
            zone_name = self.environment.timezone
            return FactRef(f"{name}@{zone_name}", name, spec.type, spec.entity, zone_name)
        return FactRef(name, name, spec.type, spec.entity)

    def elapsed(self, node: ast.Call) -> FactRef:
        function = node.func
        if not (isinstance(function, ast.Name) and function.id in ELAPSED):
            raise self.refuse(node, f"{self.expression.source(node)} is a condition, not a value")
        fact = self.operand(node.args[0])
        if not isinstance(fact, FactRef) or fact.type != "time":
            raise self.refuse(node, f"{function.id}(...) takes a fact of type time")
        if fact.entity not in ("order", "line"):
            raise self.refuse(node, f"{function.id}(...) takes a time of the order or a line")
        key = f"{function.id}({fact.key})"
        return FactRef(key, fact.name, "decimal", fact.entity, function.id)

    def constant(self, node: ast.expr) -> Constant:
        source = self.expression.source(node)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            raise self.refuse(node, "a list stands after 'in' only")
        value = ast.literal_eval(node)
        if value is None:
            raise self.refuse(node, "compare with None by 'is None' or 'is not None'")
        if isinstance(value, bool):
            return Constant("bool", value)
        if isinstance(value, str):
            if len(value) > LONGEST_TEXT:
                raise self.refuse(node, f"text of more than {LONGEST_TEXT:,} characters")
            return Constant("text", value)
        if isinstance(value, int):
            if abs(value) > MOST:
                raise self.refuse(node, "this number is larger than rules can hold")
            return Constant("int", value)
        try:
            return Constant("decimal", micros(source.replace("_", "").replace(" ", "")))
        except ValueError as error:
            raise self.refuse(node, f"{shown(source)}: {error}") from None

    def fitting(self, fact: FactRef, constant: Constant, node: ast.expr) -> Any:
        """The constant as a value of the fact's type."""
        if constant.kind not in _ACCEPTS[fact.type]:
            raise self.refuse(
                node,
                f"{fact.name} is {fact.type}: compare it with {_WRITTEN[fact.type]},"
                f" not {self.expression.source(node)}",
            )
        if fact.type == "time":
            return self.moment(constant.value, node)
        if constant.kind == "int" and fact.type != "int":
            if abs(constant.value) > MOST // MICROS:
                raise self.refuse(node, "this number is larger than rules can hold")
            return constant.value * MICROS
        return constant.value

    def moment(self, text: str, node: ast.expr) -> int:
        try:
            return instant(text, self.environment.timezone)
        except (ValueError, OverflowError):
            raise self.refuse(
                node, f"{shown(text)} is not a time; write '2026-11-27' or '2026-11-27 18:00'"
            ) from None


def instant(text: str, timezone: str) -> int:
    """ISO 8601 text as microseconds since 1970; without an offset it is local to `timezone`.

    Raises:
        ValueError: not a time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(timezone))
    found = to_micros(moment)
    if abs(found) > MOST:
        raise ValueError("too far away")
    return found


def _dotted(node: ast.expr) -> str:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    assert isinstance(node, ast.Name)  # accepted by `read`
    return ".".join([node.id, *reversed(parts)])
