"""Holds of rules whose window is over: nothing speaks for them any more, so they are taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domcore.model.clock import to_micros
from domcore.rules.layers import window
from domcore.working.round import Round

PAGE: Final = 500
_START: Final = (0, 0, 0, 0)


def lift_ended(round: Round) -> None:
    """Take back holds of rules that have ended since this was last looked at, of at most
    `round.limit` orders. Nobody approves them: a rule that is extended may place them again.

    An order that was held before routing is decided anew, by all rules that are in force now; work
    that was held before release goes on where nothing else holds it. Where all are through, the
    rules are remembered, so that held orders are looked at once for each end.
    """
    dom = round.dom
    ended = _ended(round)
    fresh = ended - dom._kit.ended_rules
    if not fresh:
        return
    codes = {code for code, _ in fresh}
    left = round.limit
    for order_id, held in _held(round):
        over = frozenset(codes.intersection(held))
        if not over:
            continue
        if left <= 0:
            return
        lifted = dom.store.rejudge(order_id, codes=over, now=round.now())
        left -= bool(lifted)
        round.tally.add("lifted", len(lifted))
    dom._kit.ended_rules |= fresh


def _ended(round: Round) -> set[tuple[str, int]]:
    """The code and the end of every hold of an active rule that no longer speaks."""
    now = to_micros(round.dom.now())
    found: set[tuple[str, int]] = set()
    going: set[str] = set()
    for info in round.dom._kit.programs.packs():
        if info.pack is None or not info.active:
            continue
        for rule in info.pack.rules:
            if rule.verb != "hold" or not rule.enabled:
                continue
            code, end = f"{info.name}/{rule.id}", window(rule, info.pack.timezone)[1]
            if rule.until and end <= now:
                found.add((code, end))
            else:
                going.add(code)
    return {(code, end) for code, end in found if code not in going}


def _held(round: Round) -> Iterator[tuple[int, set[str]]]:
    """Orders that are held, with the codes that stand."""
    store, after = round.dom.store, _START
    while True:
        waits = store.waiting("held", before=round.now(), after=after, limit=PAGE)
        for wait in waits:
            holds = store.order(wait.key[0]).summary.holds
            yield wait.key[0], {hold.code for hold in holds}
        if len(waits) < PAGE:
            return
        after = waits[-1].key
