"""The places that hold and ship stock, and what a parcel from them costs."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from domcore.model.item import Attribute
from domcore.model.place import Point

NODE_KINDS: Final = ("dc", "store", "vendor", "3pl", "hub")


@frozen(slots=True)
class Handling:
    """What the work at a node costs, in micros: per parcel, per order line touched, per unit."""

    parcel: int = 0
    line: int = 0
    unit: int = 0


@frozen(slots=True)
class Node:
    """A place that holds or ships stock.

    Args:
        id: its code, unique in the network.
        kind: one of `NODE_KINDS`.
        rate_card: id of the rate card its parcels are priced by.
        priority: the operator's own ranking, 1 is first; 0 when there is none.
        owners: whose goods it may hold; empty is everyone's.
        connector: name of the connector that takes its work; empty where people fetch it.
        enabled: whether it is offered for sourcing at all.
    """

    id: str
    kind: str
    point: Point
    name: str = ""
    country: str = ""
    region: str = ""
    postal: str = ""
    timezone: str = "UTC"
    rate_card: str = ""
    handling: Handling = Handling()
    priority: int = 0
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    connector: str = ""
    enabled: bool = True
    attributes: tuple[tuple[str, Attribute], ...] = ()


@frozen(slots=True)
class Band:
    """A rate for parcels that travel at most `up_to` metres, or to a zone.

    Args:
        up_to: metres, great circle; None for the band without an end.
        zones: ``country``, ``country-region`` or ``country:postal-prefix`` entries (``"US"``,
            ``"US-NY"``, ``"US:100"``); empty when the band goes by distance.
        base: micros per parcel.
        per_km: micros per kilometre.
        per_kg: micros per kilogram, a whole number of micros per gram.
        steps: ``(up to grams, micros)`` in ascending order.
        over_per_kg: micros for every kilogram beyond the last step.
    """

    up_to: int | None = None
    zones: tuple[str, ...] = ()
    base: int = 0
    per_km: int = 0
    per_kg: int = 0
    steps: tuple[tuple[int, int], ...] = ()
    over_per_kg: int = 0


@frozen(slots=True)
class RateCard:
    """What one parcel costs. The first band that fits is the one that counts.

    Args:
        services: the delivery services it covers, such as ``"express"``; empty is every one.
        minimum: micros a parcel costs at the least.
    """

    id: str
    currency: str
    bands: tuple[Band, ...]
    services: tuple[str, ...] = ()
    minimum: int = 0


@frozen(slots=True)
class Network:
    """All nodes in ascending order of id, and the rate cards they name.

    The position of a node in `nodes` is its bit in every node mask, so a network is replaced
    whole, never changed in place.
    """

    nodes: tuple[Node, ...]
    rate_cards: tuple[RateCard, ...] = ()
