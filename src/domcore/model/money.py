"""Money as integers: micros, one millionth of the currency unit.

Rates and amounts in files are decimal text, never floats; what is computed from a rate is rounded
half to even, once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from domcore.model.currencies import minor_digits

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


def amount_text(amount: int, currency: str = "") -> str:
    """Micros with the digits of their currency: ``"1,234.50"``, ``"1,500"`` of JPY.

    Rounded half to even. For people; files carry `decimal_text`.
    """
    digits = minor_digits(currency)
    minor = half_even(abs(amount), _minor_unit(currency))
    sign = "-" if amount < 0 and minor else ""
    whole, rest = divmod(minor, 10**digits)
    return f"{sign}{whole:,}.{rest:0{digits}d}" if digits else f"{sign}{whole:,}"


def money_text(amount: int, currency: str = "") -> str:
    """An amount for people: ``"12.50 USD"``, ``"1,500 JPY"``, ``"1.235 KWD"``."""
    return f"{amount_text(amount, currency)} {currency}".rstrip()


def difference_shown(amount: int, other: int, currency: str = "") -> int:
    """``other - amount`` in micros, as it is between the two as they are shown."""
    unit = _minor_unit(currency)
    return (half_even(other, unit) - half_even(amount, unit)) * unit


def parts_shown(parts: Sequence[int], currency: str = "", *, total: int | None = None) -> list[int]:
    """The parts of a sum in micros, each rounded so that those shown add up to the sum shown.

    Every part is rounded down or up to the currency's digits; up go those with the largest
    remainders, the first of equals.

    Args:
        total: what they are to add up to where that is not their own sum, rounded: a part of
            another sum that `parts_shown` has rounded, split further.
    """
    unit = _minor_unit(currency)
    floors = [part // unit for part in parts]
    wanted = half_even(sum(parts) if total is None else total, unit) - sum(floors)
    by_remainder = sorted(range(len(parts)), key=lambda at: (-(parts[at] % unit), at))
    for at in by_remainder[: max(wanted, 0)]:
        floors[at] += 1
    return [floor * unit for floor in floors]


def _minor_unit(currency: str) -> int:
    """Micros of a cent, a yen, a fils."""
    unit = MICROS
    for _ in range(minor_digits(currency)):
        unit //= 10
    return unit


def half_even(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded half to even; `denominator` is positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        quotient += 1
    return quotient
