"""Orders in another currency than their owner's costs: dated rates, and amounts turned by one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from domcore.model.money import half_even
from domcore.model.order import Order, OrderLine

_RATE: Final = re.compile(r"\d{1,9}(?:\.\d{1,12})?\Z", re.ASCII)
_SCALE: Final = 10**12
_Of = TypeVar("_Of", Order, OrderLine)

AMOUNTS_OF_ORDER: Final = ("shipping", "shipping_discount", "shipping_tax", "total")
AMOUNTS_OF_LINE: Final = ("price", "discount", "tax")
"""The fields of an order and of its lines that are micros in the order's currency."""


@frozen(slots=True)
class ExchangeRate:
    """What one unit of `source` is worth in `target` from the day `since` on.

    `rate` is decimal text, such as ``"1.0842"``; `since` is a day in UTC.
    """

    source: str
    target: str
    rate: str
    since: date


def read_rate(text: str) -> str:
    """A rate as decimal text in its shortest form: ``"1.0842"``.

    Raises:
        ValueError: no plain decimal number above zero, with at most 9 digits before the point and
            12 behind it.
    """
    if not isinstance(text, str) or not _RATE.match(text) or not Decimal(text):
        raise ValueError("must be a rate above zero as decimal text, such as '1.0842'")
    shortest = f"{Decimal(text):f}"
    return shortest.rstrip("0").rstrip(".") if "." in shortest else shortest


def rate_on(
    rates: Iterable[ExchangeRate], source: str, target: str, day: date
) -> ExchangeRate | None:
    """The youngest rate between two currencies that was in force on a day; None if there was none.

    Rates are not turned round: from dollars to euros wants a rate of its own.
    """
    fitting = [
        each
        for each in rates
        if (each.source, each.target) == (source, target) and each.since <= day
    ]
    return max(fitting, key=lambda each: each.since, default=None)


def exchanged(amount: int, rate: str) -> int:
    """Micros of one currency as micros of the other, rounded half to even."""
    return half_even(amount * int(Decimal(rate) * _SCALE), _SCALE)


def in_other_currency(order: Order, rate: str) -> Order:
    """The order with every amount turned; its `currency` still says what it was bought in."""
    lines = tuple(_turned(line, AMOUNTS_OF_LINE, rate) for line in order.lines)
    return evolve(_turned(order, AMOUNTS_OF_ORDER, rate), lines=lines)


def _turned(of: _Of, names: tuple[str, ...], rate: str) -> _Of:
    turned: dict[str, Any] = {
        name: exchanged(amount, rate) for name in names if (amount := getattr(of, name))
    }
    return evolve(of, **turned) if turned else of
