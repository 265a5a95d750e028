"""From a fact's name to the function that reads it.

Order readers take a `Sitting` (one call of judge), line readers a sitting and a line number, node
readers a node and the extra facts given for it. Each returns None where the fact is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen

from domcore.model.facts import FactSpec
from domcore.model.item import Attribute
from domcore.model.money import MICROS, MOST, micros
from domcore.model.network import Node
from domcore.rules.builtin_facts import BUILTINS, LONGEST_TEXT, bounded, elapsed, zone
from domcore.rules.checker import instant
from domcore.rules.facts import check_value, refused_fact
from domcore.rules.pack import PackFact
from domcore.rules.request import Request
from domcore.rules.tree import FactRef

Attributes = tuple[tuple[str, Attribute], ...]


class Sitting:
    """What readers may look at while one order is judged."""

    __slots__ = ("for_lines", "line_derived", "order_derived", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.order_derived: dict[str, Any] = {}
        self.line_derived: list[dict[str, Any]] = [{} for _ in request.lines]
        self.for_lines: dict[str, bool] = {}


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
            return lambda sitting: attribute_value(packed, sitting.request.order.attributes)
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
            return lambda sitting, number: read(sitting.request.lines[number])
        spec = self.specs[name]
        return lambda sitting, number: _given_for(
            spec, sitting.request.extra, sitting.request.lines[number].line.id
        )

    def node(self, fact: FactRef) -> NodeReader:
        """The reader of a node fact."""
        name = fact.name
        if name in self.packed:
            packed = self.packed[name]
            return lambda node, _extra: attribute_value(packed, node.attributes)
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


def attribute_value(fact: PackFact, attributes: Attributes) -> Any:
    """The value of a free attribute as a fact; missing where it is absent or does not fit."""
    for name, value in attributes:
        if name == fact.attribute:
            try:
                return _CONVERT[fact.type](value)
            except (ValueError, OverflowError):
                return None
    return None


def _flag(value: Attribute) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: Attribute) -> int | None:
    return bounded(value) if type(value) is int else None


def _fraction(value: Attribute) -> int | None:
    if type(value) is int:
        return value * MICROS if abs(value) <= MOST // MICROS else None
    return micros(value) if isinstance(value, str) else None


def _text(value: Attribute) -> str | None:
    return value[:LONGEST_TEXT] if isinstance(value, str) else None


def _texts(value: Attribute) -> tuple[str, ...] | None:
    if not isinstance(value, str):
        return None
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _time(value: Attribute) -> int | None:
    return instant(value, "UTC") if isinstance(value, str) else None


_CONVERT: Final[Mapping[str, Callable[[Attribute], Any]]] = {
    "bool": _flag,
    "int": _whole,
    "decimal": _fraction,
    "money": _fraction,
    "text": _text,
    "texts": _texts,
    "time": _time,
}


def _line_attribute(fact: PackFact, sitting: Sitting, number: int) -> Any:
    open_line = sitting.request.lines[number]
    own = attribute_value(fact, open_line.line.attributes)
    return attribute_value(fact, open_line.item.attributes) if own is None else own


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
