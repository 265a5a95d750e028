"""Days of cover: how long what is available lasts at the pace of what has shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from domcore.model import decimal_text, half_even
from domcore.model.clock import to_micros
from domcore.model.money import MICROS
from domcore.settings import StockSettings
from domcore.store.protocol import Covered, CoverNote

if TYPE_CHECKING:
    from domcore.verbs.core import Core

PAGE: Final = 1000
"""Balances looked at at a time."""

DAY: Final = 24 * 60 * 60 * 1_000_000


def check_cover(dom: Core) -> int:
    """Look at every balance, and record an event for each that is newly low, over or steady.

    Days of cover are what is available divided by what has shipped from there a day in the last
    ``stock.demand_days``. Without demand nothing is low; it is over where counted goods have been
    lying there for all of that time.

    Returns:
        How many events were recorded.
    """
    settings, store = dom.settings.stock, dom.store
    if not (settings.low_days or settings.over_days or store.has_cover()):
        return 0
    now = to_micros(dom.now())
    since, after, written = max(0, now - settings.demand_days * DAY), (0, 0), 0
    while page := store.cover(since=since, after=after, limit=PAGE):
        after = page[-1].key
        notes = []
        for each in page:
            state = state_of(each, settings)
            if state != (each.state or "steady"):
                notes.append(CoverNote(each.key, state, _body(each, settings)))
        written += store.note_cover(notes, now=now)
    return written


def state_of(each: Covered, settings: StockSettings) -> str:
    """``low``, ``over`` or ``steady``."""
    supply, pace = each.available * settings.demand_days, each.shipped
    if not pace:
        idle = each.available > 0 and each.counted and each.tried
        return "over" if settings.over_days and idle else "steady"
    if settings.low_days and supply < settings.low_days * pace:
        return "low"
    return "over" if settings.over_days and supply > settings.over_days * pace else "steady"


def _body(each: Covered, settings: StockSettings) -> dict[str, Any]:
    """The event's body; `days` are whole ones, None without demand."""
    pace = half_even(each.shipped * MICROS, max(1, settings.demand_days))
    return {
        "owner": each.owner,
        "sku": each.sku,
        "node": each.node,
        "available": each.available,
        "per_day": decimal_text(pace),
        "days": each.available * settings.demand_days // each.shipped if each.shipped else None,
    }
