"""Quotes: what the vendor would take for an order, fetched before planning and charged by it."""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import evolve

from domcore.errors import ConnectorError
from domcore.model import Candidate, Directive, FactValue, Order, PlanContext
from domcore_amazon_mcf.bodies import Unfit, item_id, preview_body
from domcore_amazon_mcf.client import Refused
from domcore_amazon_mcf.connector import AmazonMcf
from domcore_amazon_mcf.payload import Preview
from domcore_amazon_mcf.text import code_of

RULE: Final = "amazon-mcf/quote"
UNFULFILLABLE: Final = "amazon-mcf/unfulfillable"
UNQUOTED: Final = "amazon-mcf/no-quote"
FEE_FACT: Final = "candidate.amazon_mcf.fee"
DAYS_FACT: Final = "candidate.amazon_mcf.days"

KEPT: Final = 5_000
TOO_LATE: Final = 0.05
"""Seconds of budget with which nothing is begun any more."""

ENOUGH: Final = 2
"""After so many failures one after the other nobody is asked any more."""

_DAY: Final = timedelta(days=1)
_log = logging.getLogger("domcore_amazon_mcf")


class Quoter:
    """Fetches quotes for one application and remembers them for a while.

    Args:
        currencies: owner to costing currency: a fee in any other cannot be charged.
    """

    def __init__(
        self, currencies: Mapping[str, str], *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._currencies = currencies
        self._ticks = ticks
        self._known: OrderedDict[str, tuple[datetime, dict[str, Any]]] = OrderedDict()

    def quotes(
        self, connectors: Iterable[AmazonMcf], orders: Sequence[Order], context: PlanContext
    ) -> dict[str, dict[str, Any]]:
        """By order and connector: the quote, for orders that one of its nodes could ship."""
        until = self._ticks() + context.budget_seconds
        found: dict[str, dict[str, Any]] = {}
        for connector in connectors:
            failures = 0
            for order in orders:
                nodes = context.sources.get(order.key_text, ())
                if all(node.connector != connector.name for node in nodes):
                    continue
                left = until - self._ticks()
                if left <= TOO_LATE or failures >= ENOUGH:
                    break
                try:
                    quote = self._quote(connector, order, context.now, until)
                except ConnectorError as error:
                    _log.info("no quote: %s", error)
                    failures += 1
                    continue
                failures = 0
                found.setdefault(order.key_text, {})[connector.name] = quote
        return found

    def _quote(
        self, connector: AmazonMcf, order: Order, now: datetime, until: float
    ) -> dict[str, Any]:
        """One quote, fresh or remembered."""
        minutes = connector.options.quote_minutes
        currency = self._currencies.get(order.owner, order.currency)
        try:
            asked = json.dumps(
                [connector.name, currency, preview_body(order, connector.names)], sort_keys=True
            )
        except Unfit as unfit:
            return {"refused": str(unfit)}
        known = self._known.get(asked)
        if known is not None and timedelta(0) <= now - known[0] < timedelta(minutes=minutes):
            return known[1]
        try:
            quote = ask(connector, order, currency, now, lambda: until - self._ticks())
        except Refused as refused:
            quote = {"refused": ", ".join(refused.codes)}
        self._known[asked] = now, quote
        self._known.move_to_end(asked)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return quote


def ask(
    connector: AmazonMcf, order: Order, currency: str, now: datetime, left: Callable[[], float]
) -> dict[str, Any]:
    """Fetch a quote; where a part of the order cannot be shipped, one for the rest.

    Args:
        left: seconds that it may still take.

    Raises:
        ConnectorError: there is none to be had.
    """
    preview = connector.preview(order, patience=left())
    missing: set[str] = set()
    if preview is not None and not preview.isFulfillable:
        missing = _unfulfillable(preview, order)
        rest = tuple(line for line in order.lines if line.id not in missing and line.quantity)
        if missing and rest:
            preview = connector.preview(evolve(order, lines=rest), patience=left())
    if preview is None:
        return {"refused": "there is no such shipping speed"}
    if not preview.isFulfillable:
        reasons = [code_of(each) for each in preview.orderUnfulfillableReasons or ()]
        return {"refused": ", ".join(reasons[:5]) or "not fulfillable"}
    missing |= _unfulfillable(preview, order)
    fees = preview.estimatedFees or ()
    currencies = {fee.amount.currencyCode for fee in fees}
    if currencies != {currency}:
        return {"refused": f"there is no fee in {currency}"}
    return {
        "fee": sum(fee.amount.value for fee in fees),
        "days": _days(preview, now),
        "without": sorted(missing),
    }


def _unfulfillable(preview: Preview, order: Order) -> set[str]:
    """The ids of lines that cannot be shipped, or not all of their units."""
    named = {
        each.sellerFulfillmentOrderItemId
        for each in preview.unfulfillablePreviewItems or ()
        if each.quantity
    }
    return {line.id for line in order.lines if item_id(line.id) in named}


def _days(preview: Preview, now: datetime) -> int | None:
    """Days until the last of it has come, begun ones counted whole."""
    arrivals = [
        each.latestArrivalDate
        for each in preview.fulfillmentPreviewShipments or ()
        if each.latestArrivalDate is not None
    ]
    return max(0, -((now - max(arrivals)) // _DAY)) if arrivals else None


def directives(
    fallback: Mapping[str, int | None], candidates: Sequence[Candidate], prepared: Any
) -> list[Directive]:
    """What planning must know: the fee of each quoted node, and what may not be asked of it.

    Args:
        fallback: by quoting connector: what an order without a quote costs; None is not at all.
        prepared: the quotes of this order.
    """
    said = []
    for name, otherwise in fallback.items():
        nodes = tuple(each.key for each in candidates if each.node.connector == name)
        quote = (prepared or {}).get(name)
        if not nodes:
            continue
        if quote is None and otherwise is not None:
            said.append(_cost(UNQUOTED, "the fee for orders without a quote", nodes, otherwise))
        elif quote is None:
            said.append(Directive(UNQUOTED, "exclude", "Amazon gave no quote", nodes))
        elif "refused" in quote:
            reason = f"Amazon would not ship it: {quote['refused']}"
            said.append(Directive(UNFULFILLABLE, "exclude", reason[:200], nodes))
        else:
            said.append(_cost(RULE, "Amazon's fee for this order", nodes, quote["fee"]))
            if quote["without"]:
                reason = "Amazon cannot ship this line"
                lines = tuple(quote["without"])
                said.append(Directive(UNFULFILLABLE, "exclude", reason, nodes, lines))
    return said


def facts(
    connectors: Iterable[str], candidates: Sequence[Candidate], prepared: Any
) -> dict[str, dict[str, FactValue]]:
    """The quote as facts of a candidate, for rules."""
    quotes = {name: (prepared or {}).get(name) or {} for name in connectors}
    found: dict[str, dict[str, FactValue]] = {}
    for each in candidates:
        quote = quotes.get(each.node.connector, {})
        told = {FEE_FACT: quote.get("fee"), DAYS_FACT: quote.get("days")}
        known = {name: value for name, value in told.items() if value is not None}
        if known:
            found[each.key] = known
    return found


def _cost(rule: str, reason: str, nodes: tuple[str, ...], amount: int) -> Directive:
    return Directive(rule, "cost", reason, nodes, arguments={"amount": amount, "per": "parcel"})
