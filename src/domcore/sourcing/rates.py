"""Rate cards compiled: what one parcel from a node to a destination costs, by weight.

::

    parcel = handling per parcel
           + max(minimum, base + per_km * distance + per_kg * weight + weight step)

The distance term is rounded half to even, once per parcel; ``per_kg`` is a whole number of micros
per gram, so weight needs no rounding and the planner's numbers are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from domcore.errors import ConfigurationError
from domcore.model import Band, Destination, Network, RateCard, half_even
from domcore.sourcing.planner.problem import Tariff
from domcore.sourcing.zones import Zone, zones_of

Quote = tuple[int, int, Tariff | None]
"""Micros per parcel, micros per gram, and the tariff where price is not linear in weight."""


class _Lane(NamedTuple):
    """One band, ready to price."""

    up_to: int | None
    zones: tuple[Zone, ...]
    base: int
    per_km: int
    per_gram: int
    steps: tuple[tuple[int, int], ...]
    over_per_gram: int
    minimum: int


_FREE: Final = _Lane(None, (), 0, 0, 0, (), 0, 0)
"""What a node without a rate card charges."""


class Rates:
    """The rate cards of a network, by card and service, and which node goes by which.

    `handling` is by node position: micros per parcel, per line touched, per unit.

    Raises:
        ConfigurationError: a node names a card that is not there, a band's weight rate is finer
            than a micro per gram, steps do not rise, or a card repeats.
    """

    def __init__(self, network: Network) -> None:
        self._cards: dict[tuple[str, str], tuple[_Lane, ...]] = {}
        self._everywhere: set[tuple[str, str]] = set()
        self._card_of = [node.rate_card for node in network.nodes]
        self.handling = [
            (node.handling.parcel, node.handling.line, node.handling.unit) for node in network.nodes
        ]
        self._currencies = {card.id: card.currency for card in network.rate_cards}
        for card in network.rate_cards:
            self._add(card)
        for node in network.nodes:
            if node.rate_card and node.rate_card not in self._currencies:
                raise ConfigurationError(
                    f"rate card {node.rate_card!r} is not in the network", place=f"node {node.id}"
                )

    def _add(self, card: RateCard) -> None:
        place = f"rate card {card.id}"
        if not card.bands:
            raise ConfigurationError("a rate card needs at least one band", place=place)
        zones = zones_of(band.zones for band in card.bands)
        lanes = tuple(
            _compile(card, band, own, place) for band, own in zip(card.bands, zones, strict=True)
        )
        for service in card.services or ("",):
            if (card.id, service) in self._cards:
                raise ConfigurationError(
                    f"priced twice for service {service or 'any'!r}", place=place
                )
            self._cards[card.id, service] = lanes

    def currency(self, card: str) -> str:
        """The currency of a card; empty for no card."""
        return self._currencies.get(card, "")

    def by_weight(self, card: str) -> bool:
        """Whether what some parcel costs by this card depends on what it weighs."""
        return any(
            lane.per_gram or lane.over_per_gram or len(lane.steps) > 1
            for (name, _), lanes in self._cards.items()
            if name == card
            for lane in lanes
        )

    def quotes(
        self,
        service: str,
        currency: str,
        destination: Destination,
        distances: Mapping[int, int],
        *,
        normal: bool = True,
    ) -> dict[int, Quote]:
        """What a parcel costs from each node, by position; no entry where there is no rate.

        Where a price is not linear in weight its first two numbers are zero and the tariff says
        all. `distances` are in metres, by node position. A card in another `currency` is no rate:
        nothing here converts money. `normal` says that the destination is in its normal form.
        """
        found: dict[int, Quote] = {}
        lanes_of: dict[str, tuple[_Lane, ...]] = {}
        card_of, last = self._card_of, None
        lanes: tuple[_Lane, ...] = ()
        linear = False
        for at, distance in distances.items():
            card = card_of[at]
            if card != last:
                last, known = card, lanes_of.get(card)
                if known is None:
                    known = lanes_of[card] = (
                        self._lanes_to(card, service, destination, normal)
                        if self._currencies.get(card, currency) == currency
                        else ()
                    )
                lanes, linear = known, len(known) == 1 and _is_linear(known[0])
            if linear:
                _, _, fixed, per_km, per_gram, _, _, _ = lanes[0]
                travel = per_km * distance
                fixed += half_even(travel, 1000) if travel % 1000 else travel // 1000
                found[at] = (fixed, per_gram, None)
                continue
            for up_to, _, fixed, per_km, per_gram, steps, over_per_gram, minimum in lanes:
                if up_to is None or distance <= up_to:
                    if per_km:
                        travel = per_km * distance
                        fixed += half_even(travel, 1000) if travel % 1000 else travel // 1000
                    if steps or minimum > fixed:
                        tariff = Tariff(fixed, per_gram, steps, over_per_gram, minimum)
                        found[at] = (0, 0, tariff)
                    else:
                        found[at] = (fixed, per_gram, None)
                    break
        return found

    def _lanes_to(
        self, card: str, service: str, destination: Destination, normal: bool
    ) -> tuple[_Lane, ...]:
        """The bands of a card that may serve a destination; none where the service is not offered.

        No card is a free one.
        """
        if not card:
            return (_FREE,)
        lanes = self._cards.get((card, service)) or self._cards.get((card, "")) or ()
        if (card, service) in self._everywhere:
            return lanes
        holds = Zone.holds if normal else Zone.holds_literally
        found = tuple(
            lane
            for lane in lanes
            if not lane.zones or any(holds(zone, destination) for zone in lane.zones)
        )
        if not any(lane.zones for lane in lanes):
            self._everywhere.add((card, service))
        return found


def _is_linear(lane: _Lane) -> bool:
    """Whether a lane serves every distance, at a price that is linear in the weight."""
    return lane.up_to is None and not lane.steps and lane.minimum <= lane.base


def _compile(card: RateCard, band: Band, zones: tuple[Zone, ...], place: str) -> _Lane:
    for rate in (band.per_kg, band.over_per_kg):
        if rate % 1000:
            raise ConfigurationError(
                "a rate per kilogram must be a multiple of 0.001 (a whole micro per gram)",
                place=place,
            )
    if min(band.base, band.per_km, band.per_kg, band.over_per_kg, card.minimum) < 0:
        raise ConfigurationError("a rate may not be negative", place=place)
    _check_steps(band.steps, place)
    return _Lane(
        band.up_to,
        zones,
        band.base,
        band.per_km,
        band.per_kg // 1000,
        band.steps,
        band.over_per_kg // 1000,
        card.minimum,
    )


def _check_steps(steps: Sequence[tuple[int, int]], place: str) -> None:
    limits = [limit for limit, _ in steps]
    prices = [price for _, price in steps]
    if limits != sorted(set(limits)) or any(limit <= 0 for limit in limits):
        raise ConfigurationError("weight steps must rise", place=place)
    if prices != sorted(prices) or any(price < 0 for price in prices):
        raise ConfigurationError("prices of weight steps may not fall", place=place)
