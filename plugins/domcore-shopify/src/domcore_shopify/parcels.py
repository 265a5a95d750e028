"""What left, as the boxes that a shop is told of. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from domcore.model import Package, ShipmentNews
from domcore.plugin_kit import units_that_left


@frozen(slots=True)
class Parcel:
    """One box.

    Args:
        number: the tracking number, or else another text that tells this box from all others: a
            shop that has it was told of the box.
        units: by line id.
    """

    number: str
    url: str = ""
    company: str = ""
    units: Mapping[str, int] = field(factory=dict)


def parcels_of(news: ShipmentNews) -> list[Parcel]:
    """The boxes of `news` with the lines in them; what is in no box goes with the first that does
    not say what it holds, or else in one of its own. Boxes under one number are one to the shop:
    by its number alone it can tell what it has been told of."""
    rest = Counter(units_that_left(news))
    parcels: list[Parcel] = []
    vague: Package | None = None
    for package in sorted(news.packages, key=lambda each: each.id):
        if not package.lines:
            vague = vague or package
            continue
        units = _by_line(package, news, rest)
        if units:
            parcels.append(_parcel(package, units))
    loose = {line: units for line, units in sorted(rest.items()) if units > 0}
    if loose and vague is not None:
        parcels.append(_parcel(vague, loose))
    elif loose:
        parcels.append(Parcel(news.fulfillment_order, units=loose))
    return _by_number(parcels)


def _by_number(parcels: Iterable[Parcel]) -> list[Parcel]:
    found: dict[str, Parcel] = {}
    for each in parcels:
        first = found.setdefault(each.number, each)
        if first is not each:
            units = Counter(first.units)
            units.update(each.units)
            found[each.number] = evolve(first, units=dict(sorted(units.items())))
    return list(found.values())


def _parcel(package: Package, units: Mapping[str, int]) -> Parcel:
    return Parcel(package.tracking or package.id, package.url, package.carrier, units)


def _by_line(package: Package, news: ShipmentNews, rest: Counter[str]) -> dict[str, int]:
    """The units of a box by line id, taken from `rest`; a SKU stands for the lines that want it."""
    lines = {line.id: line.sku for line in news.order.lines}
    found: Counter[str] = Counter()
    for name, wanted in package.lines:
        of_sku = [line for line, sku in lines.items() if sku == name]
        for line in [name] if name in lines else of_sku:
            units = min(wanted, max(rest[line], 0))
            if units > 0:
                found[line] += units
                rest[line] -= units
                wanted -= units
    return dict(sorted(found.items()))


def still_to_tell(parcel: Parcel, fulfillments: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The units of a box that none of a shop's standing fulfillments with its number has."""
    told: Counter[str] = Counter()
    for each in fulfillments:
        if each.get("status") in ("cancelled", "error", "failure"):
            continue
        if parcel.number in (each.get("tracking_number"), *(each.get("tracking_numbers") or ())):
            for line in each.get("line_items") or ():
                told[str(line.get("id"))] += int(line.get("quantity") or 0)
    return {line: units - told[line] for line, units in parcel.units.items() if units > told[line]}
