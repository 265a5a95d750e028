"""Money as integers: micros, one millionth of the currency unit.

Rates and amounts in files are decimal text, never floats; what is computed from a rate is rounded
half to even, once.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

MICROS: Final = 1_000_000
"""Micros in one unit of any currency."""

MOST: Final = 9_000_000_000 * MICROS
"""The largest amount accepted anywhere; sums of a few hundred of them still fit 64 bits."""

_DECIMAL = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,12})?|\.\d{1,12})\Z", re.ASCII)


def micros(text: str) -> int:
    """Read decimal text as micros: ``micros("1.50") == 1_500_000``.

    Raises:
        ValueError: not plain decimal text, finer than a micro, or beyond `MOST`.
    """
    if type(text) is not str or not _DECIMAL.match(text):
        raise ValueError("not a plain decimal number in text, such as '1.50'")
    scaled = Decimal(text) * MICROS
    amount = int(scaled)
    if amount != scaled:
        raise ValueError("finer than a millionth of the currency unit")
    if abs(amount) > MOST:
        raise ValueError("larger than any amount accepted here")
    return amount


def decimal_text(amount: int, places: int = 2) -> str:
    """Micros as plain decimal text with at least `places` digits: ``"12.50"``, ``"0.000123"``."""
    sign = "-" if amount < 0 else ""
    whole, rest = divmod(abs(amount), MICROS)
    digits = f"{rest:06d}".rstrip("0").ljust(places, "0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def money_text(amount: int, currency: str = "") -> str:
    """An amount for people, rounded to hundredths: ``"12.50 USD"``. Files carry `decimal_text`."""
    cents = half_even(amount, MICROS // 100)
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{rest:02d} {currency}".rstrip()


def half_even(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded half to even; `denominator` is positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient
