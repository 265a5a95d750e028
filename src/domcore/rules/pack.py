"""A rule pack as plain data: what a retailer writes, nothing executed, nothing resolved.

A `Pack` is equal to the pack read back from its own bytes, so a decision can name it by hash and
be replayed from those bytes years later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from attrs import field, frozen

from domcore.errors import ConfigurationError
from domcore.rules.lists import PackList

FORMAT: Final = 1
LAYERS: Final = ("core", "partner", "retailer")
"""Layers by rising rank."""

VERBS: Final = ("exclude", "require", "cost", "protect", "split", "hold", "set")
SOFT_VERBS: Final = ("exclude", "require", "protect", "split")
PARAMETER_TYPES: Final = ("bool", "int", "decimal", "money", "text", "texts")

ParameterValue = bool | int | str | tuple[str, ...]
"""As written: bool, int, text (also decimal text for decimal and money), or a list of texts."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@frozen(slots=True)
class Parameter:
    """A value that an activation may replace, read in rules as ``parameters.<name>``."""

    name: str
    type: str
    default: ParameterValue
    summary: str = ""


@frozen(slots=True)
class PackFact:
    """A fact that a pack reads from the free attributes of an order, a line or a node."""

    name: str
    type: str
    attribute: str
    unit: str = ""
    summary: str = ""


@frozen(slots=True)
class Rule:
    """One condition and one consequence.

    Args:
        arguments: the consequence's own table as ``(key, value)`` pairs, sorted; amounts are
            decimal text, and any value may be ``"parameters.<name>"``.
        since: ISO 8601 text, inclusive; empty is always. Written ``from`` in a pack.
        until: ISO 8601 text, exclusive, save that a bare date includes that whole day.
        overrides: the ``pack/rule`` of an earlier layer that this rule takes the place of.
        written: the condition with the blanks and lines it was written in; it is not content.
    """

    id: str
    when: str
    verb: str
    arguments: tuple[tuple[str, Any], ...] = ()
    reason: str = ""
    priority: int = 0
    since: str = ""
    until: str = ""
    enabled: bool = True
    soft: bool = False
    overrides: str = ""
    written: str = field(default="", eq=False)

    def column(self, column: int) -> int:
        """A column of `when` as one of the text it was written in."""
        written = self.written or self.when
        return column + len(written) - len(written.lstrip())


@frozen(slots=True)
class Pack:
    """Rules under one name and version. `source` says where it was read from; it is not content."""

    name: str
    version: str
    currency: str = ""
    timezone: str = "UTC"
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    facts: tuple[PackFact, ...] = ()
    lists: tuple[PackList, ...] = ()
    rules: tuple[Rule, ...] = ()
    disables: tuple[str, ...] = ()
    source: str = field(default="", eq=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `pack_bytes`, in hex: the name a decision knows this content by."""
        return hashlib.sha256(pack_bytes(self)).hexdigest()


@frozen(slots=True)
class Activation:
    """Switches a pack on. It is the operator's word, never the pack's.

    Args:
        version: the version that is meant; empty takes the one at hand.
        layer: one of `LAYERS`.
        owner: whose orders it speaks of; empty is everyone's.
        channels: the channels it speaks of; empty is every one.
        parameters: values in place of the pack's defaults.
        nodes: the partner's own nodes, the only ones a partner-layer pack may speak of.
    """

    pack: str
    version: str = ""
    layer: str = "retailer"
    owner: str = ""
    channels: tuple[str, ...] = ()
    parameters: Mapping[str, ParameterValue] = _NOTHING
    nodes: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Refuse a layer that does not exist and a partner without nodes."""
        if self.layer not in LAYERS:
            raise ConfigurationError(
                f"layer {self.layer!r} does not exist; choose one of {', '.join(LAYERS)}",
                source=f"activation of {self.pack}",
            )
        if self.layer == "partner" and not self.nodes:
            raise ConfigurationError(
                "a partner-layer activation names the partner's own nodes",
                source=f"activation of {self.pack}",
            )

    @property
    def rank(self) -> int:
        """0 for core, 1 for partner, 2 for retailer."""
        return LAYERS.index(self.layer)

    def covers(self, owner: str, channel: str) -> bool:
        """Whether it speaks of this owner's orders from this channel."""
        return (not self.owner or self.owner == owner) and (
            not self.channels or channel in self.channels
        )


def pack_tree(pack: Pack) -> dict[str, Any]:
    """The pack as the tree that a ``ruleset.json`` holds; defaults are left out."""
    tree: dict[str, Any] = {"format": FORMAT, "name": pack.name, "version": pack.version}
    if pack.timezone != "UTC":
        tree["timezone"] = pack.timezone
    for key in ("currency", "description"):
        if getattr(pack, key):
            tree[key] = getattr(pack, key)
    if pack.disables:
        tree["disables"] = list(pack.disables)
    if pack.parameters:
        tree["parameters"] = {
            parameter.name: _filled(
                type=parameter.type,
                default=_plain(parameter.default),
                summary=parameter.summary or None,
            )
            for parameter in pack.parameters
        }
    if pack.facts:
        tree["fact"] = [
            _filled(
                name=fact.name,
                type=fact.type,
                attribute=fact.attribute,
                unit=fact.unit or None,
                summary=fact.summary or None,
            )
            for fact in pack.facts
        ]
    if pack.lists:
        tree["lists"] = {
            each.name: _filled(values=list(each.values), summary=each.summary or None)
            for each in pack.lists
        }
    tree["rule"] = [_rule_tree(rule) for rule in pack.rules]
    return tree


def pack_bytes(pack: Pack) -> bytes:
    """Canonical bytes: equal packs have equal bytes, and `parse_pack` reads them back equal."""
    return json.dumps(
        pack_tree(pack), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _rule_tree(rule: Rule) -> dict[str, Any]:
    arguments = {key: _plain(value) for key, value in rule.arguments}
    tree = _filled(
        id=rule.id,
        when=rule.when,
        then={rule.verb: arguments} if arguments else rule.verb,
        reason=rule.reason or None,
        priority=rule.priority or None,
        until=rule.until or None,
        overrides=rule.overrides or None,
    )
    if rule.since:
        tree["from"] = rule.since
    if not rule.enabled:
        tree["enabled"] = False
    if rule.soft:
        tree["soft"] = True
    return tree


def _filled(**entries: Any) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if value is not None}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
