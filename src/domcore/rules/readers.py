"""From a fact's name to the function that reads it.

Order readers take a `Sitting` (one call of judge), line readers a sitting and a line number, node
readers a node and the extra facts given for it. Each returns None where the fact is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from domcore.model.facts import FactSpec
from domcore.model.network import Node
from domcore.rules.attributes import Unreadable, attribute_value
from domcore.rules.builtin_facts import BUILTINS, elapsed, zone
from domcore.rules.facts import check_value, refused_fact
from domcore.rules.pack import PackFact
from domcore.rules.request import Request
from domcore.rules.tree import FactRef


class Sitting:
    """What readers may look at while one order is judged.

    `lines` are the open lines, by their numbers in the request, and after them those of the rest.
    `unread` is what they found that cannot be read, in words, as keys in the order it was found.
    """

    __slots__ = ("for_lines", "line_derived", "lines", "order_derived", "request", "unread")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.lines = request.lines + request.rest if request.rest else request.lines
        self.order_derived: dict[str, Any] = {}
        self.line_derived: list[dict[str, Any]] = [{} for _ in self.lines]
        self.for_lines: dict[str, bool] = {}
        self.unread: dict[str, None] = {}


OrderReader = Callable[[Sitting], Any]
LineReader = Callable[[Sitting, int], Any]
NodeReader = Callable[[Node, Mapping[str, Any]], Any]
CandidateReader = Callable[[Sitting, str], Any]


@frozen(slots=True)
class Readers:
    """Finds readers. `packed` facts are read from attributes, `derived` ones are set by rules."""

    specs: Mapping[str, FactSpec]
    packed: Mapping[str, PackFact]
    derived: Mapping[str, FactSpec]

    def order(self, fact: FactRef) -> OrderReader:
        """The reader of an order or destination fact."""
        name = fact.name
        if fact.type == "decimal" and "(" in fact.key:
            return _elapsed_order(self.order(self._base(fact)), fact.setting)
        if name in self.derived:
            return lambda sitting: sitting.order_derived.get(name)
        if name in self.packed:
            packed = self.packed[name]
            return lambda sitting: _order_attribute(packed, sitting)
        if name.startswith("now."):
            clock, timezone = BUILTINS[name].read, zone(fact.setting)
            assert clock is not None  # only candidate facts have no reader
            return lambda sitting: clock(sitting.request.now.astimezone(timezone))
        if name in BUILTINS:
            read = BUILTINS[name].read
            assert read is not None  # only candidate facts have no reader
            return lambda sitting: read(sitting.request)
        spec = self.specs[name]
        return lambda sitting: _given(spec, sitting.request.extra)

    def line(self, fact: FactRef) -> LineReader:
        """The reader of a line fact."""
        name = fact.name
        if fact.type == "decimal" and "(" in fact.key:
            return _elapsed_line(self.line(self._base(fact)), fact.setting)
        if name in self.derived:
            return lambda sitting, number: sitting.line_derived[number].get(name)
        if name in self.packed:
            packed = self.packed[name]
            return lambda sitting, number: _line_attribute(packed, sitting, number)
        if name in BUILTINS:
            read = BUILTINS[name].read
            assert read is not None  # only candidate facts have no reader
            return lambda sitting, number: read(sitting.lines[number])
        spec = self.specs[name]
        return lambda sitting, number: _given_for(
            spec, sitting.request.extra, sitting.lines[number].line.id
        )

    def node(self, fact: FactRef) -> NodeReader:
        """The reader of a node fact."""
        name = fact.name
        if name in self.packed:
            packed = self.packed[name]
            return lambda node, _extra: _node_attribute(packed, node)
        if name in BUILTINS:
            read = BUILTINS[name].read
            assert read is not None  # only candidate facts have no reader
            return lambda node, _extra: read(node)
        spec = self.specs[name]
        return lambda _node, extra: _given(spec, extra)

    def candidate(self, fact: FactRef) -> CandidateReader:
        """The reader of a plugin's candidate fact, by node id."""
        spec = self.specs[fact.name]
        return lambda sitting, node: _given_for(spec, sitting.request.extra, node)

    def _base(self, fact: FactRef) -> FactRef:
        """The time that an elapsed time is measured from."""
        key = fact.key[len(fact.setting) + 1 : -1]
        _, _, setting = key.partition("@")
        return FactRef(key, fact.name, "time", fact.entity, setting)


def _order_attribute(fact: PackFact, sitting: Sitting) -> Any:
    try:
        return attribute_value(fact, sitting.request.order.attributes)
    except Unreadable as error:
        sitting.unread[f"the order's {error}"] = None
        return None


def _line_attribute(fact: PackFact, sitting: Sitting, number: int) -> Any:
    """The line's own attribute, or else its item's."""
    found = sitting.lines[number]
    for whose, attributes in (
        (f"line {found.line.id}", found.line.attributes),
        (f"item {found.item.sku}", found.item.attributes),
    ):
        try:
            value = attribute_value(fact, attributes)
        except Unreadable as error:
            sitting.unread[f"{whose}: {error}"] = None
            continue
        if value is not None:
            return value
    return None


def _node_attribute(fact: PackFact, node: Node) -> Any:
    try:
        return attribute_value(fact, node.attributes)
    except Unreadable:  # `NodeState` tells it, once for all orders
        return None


def _given(spec: FactSpec, extra: Mapping[str, Any]) -> Any:
    return check_value(spec, extra[spec.name]) if spec.name in extra else None


def _given_for(spec: FactSpec, extra: Mapping[str, Any], key: str) -> Any:
    by_key = extra.get(spec.name)
    if by_key is None:
        return None
    if not isinstance(by_key, Mapping):
        raise refused_fact(spec, f"is given for each {spec.entity}: a mapping is needed")
    return check_value(spec, by_key[key]) if key in by_key else None


def _elapsed_order(base: OrderReader, function: str) -> OrderReader:
    def read(sitting: Sitting) -> Any:
        moment = base(sitting)
        return None if moment is None else elapsed(function, moment, sitting.request.now)

    return read


def _elapsed_line(base: LineReader, function: str) -> LineReader:
    def read(sitting: Sitting, number: int) -> Any:
        moment = base(sitting, number)
        return None if moment is None else elapsed(function, moment, sitting.request.now)

    return read
