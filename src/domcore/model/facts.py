"""The facts that rules may read, each declared before it is used."""

from __future__ import annotations

from typing import Final

from attrs import frozen

ENTITIES: Final = ("order", "destination", "line", "node", "candidate")
FACT_TYPES: Final = ("bool", "int", "decimal", "money", "text", "texts", "time")

FactValue = bool | int | str | tuple[str, ...]
"""bool; int (also micros for money and decimal, microseconds since 1970 for time); str; texts."""


@frozen(slots=True)
class FactSpec:
    """Declares one fact: ``entity.name``, or ``entity.plugin.name`` where a plugin gives it.

    Args:
        name: the full dotted name as rules write it.
        entity: one of `ENTITIES`: what it is a fact of.
        type: one of `FACT_TYPES`. ``decimal`` and ``money`` are ints in millionths inside.
        unit: ``"g"``, ``"km"``, ``"units"`` ...; empty when it has none.
        nullable: whether it can be missing.
        summary: one line for the rule author.
    """

    name: str
    entity: str
    type: str
    unit: str = ""
    nullable: bool = False
    summary: str = ""
