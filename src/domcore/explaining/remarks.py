"""What somebody should know before trusting the numbers of an explanation."""

from __future__ import annotations

from collections.abc import Iterator

from domcore.explanation import counted, unweighed_text
from domcore.model import Plan
from domcore.sourcing.question import Question

COARSE = {
    "district": "the beginning of its postal code",
    "locality": "the name of its town",
    "region": "the middle of its state or province",
    "country": "the middle of its country",
}
"""How a point was found that is not its postal code's own, for people."""


def remarks(question: Question, plan: Plan) -> Iterator[str]:
    """One sentence each."""
    yield from _begun(question)
    yield from _coarse(question)
    yield from _turned(question)
    yield from _unweighed(question, plan)


def _begun(question: Question) -> Iterator[str]:
    """Which nodes ship for the order already, and so count towards its limits."""
    past = question.past
    if past is not None and past.count:
        names = [question.supply.field.nodes[at].id for at in past.nodes]
        if past.beyond:
            names.append(counted(past.beyond, "node") + " that the network no longer has")
        units = counted(sum(past.units), "unit")
        yield f"placed before: {units}, at {', '.join(names)}; limits of nodes count that"


def _coarse(question: Question) -> Iterator[str]:
    """Whether distances are from the middle of something large."""
    word, _, geocoder = question.coarse.partition(" ")
    if word:
        what = COARSE.get(word, word)
        yield f"the address was placed by {what} (geocoder {geocoder}): distances are rough"


def _turned(question: Question) -> Iterator[str]:
    """By which rate the amounts of an order in another currency were compared."""
    if question.exchange:
        rate, since = question.rate
        told = f"in force since {since}" if rate == question.exchange else "said by a person"
        yield (
            f"rules compared the amounts of the order as {question.currency}, 1"
            f" {question.order.currency} being {question.exchange} ({told})"
        )


def _unweighed(question: Question, plan: Plan) -> Iterator[str]:
    """Items without a weight in parcels that are priced by weight."""
    field, owner = question.supply.field, question.order.owner
    items = question.supply.items
    found: dict[str, dict[str, None]] = {}
    for parcel in plan.parcels:
        card = field.nodes[field.position[parcel.node]].rate_card
        if field.rates.by_weight(card):
            for sku, _ in parcel.contents:
                if not items[owner, sku][1].weight:
                    found.setdefault(card, {})[sku] = None
    for card, skus in found.items():
        yield f"{unweighed_text(card, list(skus))}, so the parcels may cost more than shown"
