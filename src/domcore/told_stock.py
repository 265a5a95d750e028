"""Stock that partners tell: of their own nodes only, and so that it may be told twice."""

from __future__ import annotations

from domcore.errors import Problem
from domcore.model import Network, ObserveStock, StockCount
from domcore.store.operations.observe import place_of, refusal


def check_told(
    news: ObserveStock, connector: str, network: Network, *, partly: bool = False
) -> dict[int, list[Problem]]:
    """Refuse news of stock that a connector may not tell.

    With `partly`, counts at nodes that do not name the connector are what is wrong by their places,
    as long as there are others.

    Raises:
        PayloadError: a node that does not name the connector; a delta without a key, which told
            twice would count twice; a count that says no time, which told late would count as new.
    """
    own = {node.id for node in network.nodes if node.connector == connector}
    wrong: dict[int, list[Problem]] = {}
    foreign: dict[int, list[Problem]] = {}
    for number, count in enumerate(news.counts):
        for found, said in (
            (wrong, wrong_count(count, news.key)),
            (foreign, _foreign(count, own, connector)),
        ):
            if said:
                found[number] = [Problem(place_of(news, number), said)]
    if wrong or (foreign and not (partly and len(foreign) < len(news.counts))):
        raise refusal({**foreign, **wrong})
    return foreign


def wrong_count(count: StockCount, key: str) -> str:
    """Why a count cannot be told at least once; empty where it can."""
    if count.delta is not None and not key:
        return "a delta needs a key: it may be told twice"
    if count.on_hand is not None and count.as_of is None and not key:
        return "a count must say as of when, or have a key: it may be told twice, and late"
    return ""


def _foreign(count: StockCount, own: set[str], connector: str) -> str:
    return "" if count.node in own else f"connector {connector!r} serves no such node"
