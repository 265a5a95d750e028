"""Item files: SKUs, and what the channels call them."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, Final, NamedTuple

from domcore.loading.fields import attribute, code, kilograms, text, whole, words
from domcore.loading.formats import Source, Types, records_as_written, sound
from domcore.loading.problems import Problems
from domcore.loading.shape import Cell, Faults, Field, Shape, table_of
from domcore.model import Alias, Item


def _ids(value: object) -> tuple[str, ...]:
    """One id or several; in CSV separated by ``|``."""
    if isinstance(value, str):
        value = (
            [Cell(part.strip()) for part in value.split("|")]
            if isinstance(value, Cell)
            else [value]
        )
    if not isinstance(value, list | tuple):
        raise ValueError("must be an id in text, or an array of them")
    one = code()
    return tuple(one(each) for each in value)


ITEM: Final = Shape(
    (
        Field("sku", code(), "the stock keeping unit code, unique", needed=True),
        Field("name", text(500), "what people call it", ""),
        Field("weight_g", whole(), "grams per unit", None),
        Field("weight_kg", kilograms, "the same as decimal text in kilograms", None),
        Field("length_mm", whole(), "millimetres", 0),
        Field("width_mm", whole(), "millimetres", 0),
        Field("height_mm", whole(), "millimetres", 0),
        Field("category", text(), "category path, such as garden/tools", ""),
        Field("tags", words, "words that rules may ask for, such as hazmat", ()),
        Field("aliases", table_of(_ids), "by channel: the id or ids it has there", None),
        Field("attributes", table_of(attribute), "free named values", None),
    )
)


ITEMS: Final[Types] = {"item": ITEM}
"""What an item file may hold."""


class ItemRow(NamedTuple):
    """One item with its aliases."""

    place: str
    item: Item
    aliases: tuple[Alias, ...]


def read_items(
    source: Source, problems: Problems, without: Container[str] = ()
) -> Iterator[ItemRow]:
    """All good items of a file, one by one; the bad ones are problems, but for those that stand at
    places in `without`, which are passed over."""
    for record in records_as_written(source, ITEMS, problems):
        if record.place in without:
            continue
        try:
            yield _row(record.place, ITEM(sound(record)))
        except ValueError as error:
            problems.row(record.place, error)


def _row(place: str, values: dict[str, Any]) -> ItemRow:
    grams, kilos = values.pop("weight_g"), values.pop("weight_kg")
    if grams is not None and kilos is not None:
        raise Faults([("weight_g", "give weight_g or weight_kg, not both")])
    sides = ("length_mm", "width_mm", "height_mm")
    length, width, height = (values.pop(side) for side in sides)
    aliases = tuple(
        Alias(channel, external_id, values["sku"])
        for channel, ids in sorted((values.pop("aliases") or {}).items())
        for external_id in ids
    )
    item = Item(
        weight=grams if grams is not None else kilos or 0,
        dimensions=(length, width, height),
        attributes=tuple(sorted((values.pop("attributes") or {}).items())),
        **values,
    )
    return ItemRow(place, item, aliases)
