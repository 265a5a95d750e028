"""Stock files: counts and changes in, levels out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, Final

from domcore.loading.fields import MOST_UNITS, code, moment, whole
from domcore.loading.problems import Problems
from domcore.loading.shape import Faults, Field, Shape
from domcore.model import ObserveStock, StockCount, StockLevel
from domcore_files.parts import Delivered, Seen, first_of
from domcore_files.tables import Row, check_columns

FIRST: Final = 2
"""The line of a CSV file below the names of its columns."""

BATCH: Final = 2000
"""Counts in one command."""

STOCK: Final = Shape(
    (
        Field("sku", code(), "the SKU", needed=True),
        Field("node", code(), "the node's id", needed=True),
        Field("on_hand", whole(-MOST_UNITS), "units counted; below zero is none", None),
        Field("delta", whole(-MOST_UNITS), "units to add or take away, instead of on_hand", None),
        Field("safety", whole(), "units that orders may not draw; absent leaves it", None),
        Field("blocked", whole(), "units of on_hand that cannot be sold", None),
        Field("as_of", moment, "when it was counted; absent is now", None),
    )
)

LEVEL_COLUMNS: Final = ("sku", "external_ids", "node", "available")


def split(
    rows: Iterable[Row], format: str, name: str, problems: Problems, column: str, shape: Shape
) -> tuple[Iterable[Row], Iterable[Row], str]:
    """Rows that have `column`, rows of stock, and what tells the keys of this part of the file from
    those of others. A CSV file holds the one or the other: its columns say."""
    first, rows = first_of(rows)
    if first is None:
        return (), (), ""
    part = "" if first.line <= FIRST else f"{first.line}."
    if format == "csv":
        is_stock = column not in first.values and "sku" in first.values
        columns = list(first.values)
        if not check_columns(STOCK if is_stock else shape, columns, name, problems):
            return (), (), part
        return ((), rows, part) if is_stock else (rows, (), part)
    others: list[Row] = []
    stock: list[Row] = []
    for row in rows:
        (others if column in row.values or "sku" not in row.values else stock).append(row)
    return others, stock, part


def keys_of(file: Delivered) -> dict[str, str]:
    """Name and time tell two files of equal content apart: a count is news whenever it is written,
    a change when its file has another name. A delivery has neither."""
    if not file.written_at:
        return {"delta_key": f"file:{file.digest}"}
    named = f"file:{file.digest}:{file.name}"
    return {"delta_key": named, "count_key": f"{named}:{file.written_at:.6f}"}


def counted_at(row: Row) -> Hashable | None:
    """What a row counts: where two rows contradict each other, neither is taken. A change stands
    alone."""
    values = row.values
    if values.get("on_hand") in (None, ""):
        return None
    return repr((values.get("sku"), values.get("node")))


def observations(
    rows: Iterable[Row],
    *,
    name: str,
    owner: str,
    problems: Problems,
    delta_key: str,
    count_key: str = "",
    part: str = "",
    seen: Seen | None = None,
) -> Iterator[ObserveStock]:
    """Commands of a stock file; changes and counts apart, as they repeat by other laws.

    Without `count_key`, counts that are all dated go by `delta_key`, and others are news each time.
    `part` tells the keys of one part of a file from those of the others, and `seen` knows what
    was counted in them.
    """
    seen = seen or Seen(set())
    counts: list[StockCount] = []
    deltas: list[StockCount] = []
    lines: dict[str, list[int]] = {"counts": [], "deltas": []}
    for row in rows:
        try:
            count = _count(row.values)
            if count.delta is None and seen.again((count.sku, count.node)):
                raise Faults([("sku", "is counted at this node twice in this file")])
        except ValueError as error:
            problems.add(f"{name}:{row.line}", error)
            continue
        if count.delta is None:
            counts.append(count)
        else:
            deltas.append(count)
        lines["counts" if count.delta is None else "deltas"].append(row.line)
    if not count_key and all(count.as_of is not None for count in counts):
        count_key = delta_key
    for key, what, found in ((count_key, "counts", counts), (delta_key, "deltas", deltas)):
        for at in range(0, len(found), BATCH):
            counted = tuple(found[at : at + BATCH])
            named = f"{key}:{what}:{part}{at}" if key else ""
            stand = tuple(lines[what][at : at + BATCH])
            yield ObserveStock(owner, counted, named, source=name, rows=stand)


def _count(values: Mapping[str, Any]) -> StockCount:
    read = STOCK(values)
    if (read["on_hand"] is None) == (read["delta"] is None):
        raise Faults([("on_hand", "give on_hand or delta, and only one of them")])
    if read["blocked"] is not None and read["on_hand"] is None:
        raise Faults([("blocked", "needs on_hand beside it")])
    if read["on_hand"] is not None and read["on_hand"] < 0:
        # As systems write what they have sold without having it.
        read["on_hand"], read["blocked"] = 0, read["blocked"] and 0
    return StockCount(**read)


def merged(before: Iterable[StockLevel], levels: Iterable[StockLevel]) -> list[StockLevel]:
    """All levels, the new ones in place of the old, in the order of SKU and node."""
    found = {(each.sku, each.node): each for each in (*before, *levels)}
    return [found[key] for key in sorted(found)]


def level_values(level: StockLevel) -> dict[str, Any]:
    """A level by column."""
    return {
        "sku": level.sku,
        "external_ids": "|".join(level.external_ids),
        "node": level.node,
        "available": level.available,
    }


def kept_values(level: StockLevel) -> dict[str, Any]:
    """A level as it is kept between two publications."""
    return {**level_values(level), "external_ids": list(level.external_ids)}


def kept_level(values: Mapping[str, Any]) -> StockLevel:
    """What `kept_values` told: any SKU that the core has, whatever it looks like.

    Raises:
        ValueError: it has told something else.
    """
    sku, ids, node, available = (values.get(each) for each in LEVEL_COLUMNS)
    texts = (sku, node, *(ids if isinstance(ids, list) else (None,)))
    if not sku or type(available) is not int or not all(isinstance(each, str) for each in texts):
        raise ValueError("is no level")
    return StockLevel(str(sku), tuple(texts[2:]), str(node), available)
