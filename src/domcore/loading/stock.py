"""Stock files: counts and changes per SKU and node."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, Final, NamedTuple

from domcore.loading.fields import MOST_UNITS, code, moment, whole
from domcore.loading.formats import Source, Types, records_as_written, sound
from domcore.loading.problems import Problems
from domcore.loading.shape import Faults, Field, Shape
from domcore.model import StockCount

STOCK: Final = Shape(
    (
        Field("sku", code(), "the SKU", needed=True),
        Field("node", code(), "the node's id", needed=True),
        Field("on_hand", whole(-MOST_UNITS), "units counted; below zero is none", None),
        Field("delta", whole(-MOST_UNITS), "units to add or take away, instead of on_hand", None),
        Field(
            "blocked", whole(), "units of it that cannot be sold; a count without it has none", None
        ),
        Field("safety", whole(), "units that orders may not draw; absent leaves it", None),
        Field("as_of", moment, "when it was counted; absent is now", None),
    )
)

COUNTS: Final[Types] = {"stock": STOCK}
"""What a stock file may hold."""

_TELLING: Final = ("on_hand", "delta", "blocked", "safety")
"""A row says at least one of these."""


class StockLine(NamedTuple):
    """One count and where it stands."""

    place: str
    stock: StockCount


def read_stock(
    source: Source, problems: Problems, without: Container[str] = ()
) -> Iterator[StockLine]:
    """All good counts of a file, one by one; the bad ones are problems, but for those that stand at
    places in `without`, which are passed over."""
    for line in stock_rows(source, problems, without):
        if line is not None:
            yield line


def stock_rows(
    source: Source, problems: Problems, without: Container[str] = ()
) -> Iterator[StockLine | None]:
    """See `read_stock`; None stands for every row that is bad or passed over."""
    for record in records_as_written(source, COUNTS, problems):
        line = None
        if record.place not in without:
            try:
                line = StockLine(record.place, _count(STOCK(sound(record))))
            except ValueError as error:
                problems.row(record.place, error)
        yield line


def _count(values: dict[str, Any]) -> StockCount:
    if values["on_hand"] is not None and values["delta"] is not None:
        raise Faults([("on_hand", "give on_hand or delta, and only one of them")])
    if all(values[name] is None for name in _TELLING):
        raise Faults([("on_hand", f"give {', '.join(_TELLING[:-1])} or {_TELLING[-1]}")])
    if values["on_hand"] is not None and values["on_hand"] < 0:
        # As systems write what they have sold without having it.
        values["on_hand"], values["blocked"] = 0, values["blocked"] and 0
    if values["on_hand"] is not None and (values["blocked"] or 0) > values["on_hand"]:
        raise Faults([("blocked", "is part of on_hand and cannot be more")])
    return StockCount(**values)
