"""What a SKU is."""

from __future__ import annotations

from attrs import frozen

Attribute = str | int | bool
"""The value of a free attribute on an item, node, order or line."""


@frozen(slots=True)
class Item:
    """A SKU of one owner.

    Args:
        sku: the owner's stock keeping unit code.
        weight: grams per unit.
        dimensions: length, width, height in millimetres; zeros when unknown.
        category: the owner's category path, such as ``"garden/tools"``.
        tags: words rules may ask for: ``"hazmat"``, ``"fragile"``; sorted.
        attributes: free named values, sorted by name.
    """

    sku: str
    name: str = ""
    weight: int = 0
    dimensions: tuple[int, int, int] = (0, 0, 0)
    category: str = ""
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, Attribute], ...] = ()


@frozen(slots=True)
class Alias:
    """What a channel calls an item: ``(channel, external id) -> sku`` unifies the channels."""

    channel: str
    external_id: str
    sku: str
