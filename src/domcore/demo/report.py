"""The demo's report: what an operations manager wants to see, in one screen and a half."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from domcore.demo.run import DemoReport
from domcore.model import money_text, parts_shown

_OUTCOMES = (
    ("routed", "whole", "one node ships everything"),
    ("split", "split", "whole, from several nodes"),
    ("partial", "partial", "some units stay open"),
    ("short", "short", "nothing that may ship it has it"),
    ("held", "held", "waits for a person"),
    ("failed", "failed", ""),
)
_INDENT = "             "


def lines(report: DemoReport) -> Iterator[str]:
    """The report, line by line."""
    yield from _built(report)
    yield from _received(report)
    yield from _routed(report)
    yield from _cost(report)
    yield from _by_node(report)
    yield from _split(report)
    yield from _worked(report)
    yield from _checked(report)
    yield from _next(report)


def _built(report: DemoReport) -> Iterator[str]:
    kinds = ", ".join(f"{number} {kind}" for kind, number in report.nodes.most_common())
    yield f"  Network    {sum(report.nodes.values())} nodes: {kinds}"
    yield (f"  Catalog    {report.skus:,} SKUs, {report.units:,} units in {report.counts:,} counts")
    yield f"  Rules      {', '.join(report.packs)}"


def _received(report: DemoReport) -> Iterator[str]:
    received = report.received
    total = sum(received.outcomes.values())
    first = ("captured", "amended", "duplicate", "stale", "cancelled", "ignored", "refused")
    order = [*first, *sorted(set(received.outcomes) - set(first))]
    parts = [f"{received.outcomes[each]} {each}" for each in order if received.outcomes[each]]
    yield f"  Received   {total} webhooks in {received.seconds:.1f} s:"
    yield f"{_INDENT}{', '.join(parts)}"
    for place, reason in received.refused:
        yield f"{_INDENT}{place} refused: {reason}"
    for place, words in received.noted:
        yield f"{_INDENT}{place}: {words}"


def _routed(report: DemoReport) -> Iterator[str]:
    route, tally = report.route, report.tally
    yield f"  Routed     {route.orders} orders in {tally.seconds:.1f} s"
    yield ""
    for name, word, meaning in _OUTCOMES:
        number = getattr(route, name)
        if number:
            share = 100 * number / route.orders
            yield f"    {word:<8} {number:>5}  {share:>5.1f} %   {meaning}".rstrip()
    for reason, number in tally.holds.most_common():
        yield f"{_INDENT}{number} x {reason}"
    yield ""


def _cost(report: DemoReport) -> Iterator[str]:
    route = report.route
    if route.placed:
        cost = money_text(route.cost, "USD")
        yield f"  Cost       {cost} for the {route.placed:,} orders that ship"
    if route.nearest_cost:
        saved = 100 - 100 * route.compared_cost / route.nearest_cost
        yield (
            f"  Compared   {money_text(route.compared_cost, 'USD')} against"
            f" {money_text(route.nearest_cost, 'USD')} by nearest node: {saved:.1f} % saved,"
        )
        yield f"{_INDENT}on the {report.tally.compared:,} orders that can be compared"
    if route.placed:
        yield (
            f"  Proven     {100 * route.proven / route.placed:.1f} % of the plans are proven to be"
            " the cheapest allowed"
        )


def _by_node(report: DemoReport) -> Iterator[str]:
    yield ""
    yield f"    {'NODE':<12} {'ORDERS':>6} {'PARCELS':>8} {'UNITS':>6} {'COST':>13}"
    rows = sorted(report.tally.by_node.items(), key=lambda pair: -pair[1].orders)
    costs = parts_shown([tally.cost for _, tally in rows], "USD")
    for (node, tally), cost in zip(rows, costs, strict=True):
        yield (
            f"    {node:<12} {tally.orders:>6} {tally.parcels:>8} {tally.units:>6}"
            f" {money_text(cost, 'USD'):>13}"
        )


def _split(report: DemoReport) -> Iterator[str]:
    if report.explanation:
        yield ""
        yield "  Why one order was split"
        yield ""
        for line in report.explanation.splitlines():
            yield f"    {line}".rstrip()


def _worked(report: DemoReport) -> Iterator[str]:
    worked, told = report.worked, report.worked.told
    rejected = sum(told.rejected.values())
    yield ""
    yield (
        f"  Worked     {told.work} pieces of work went to the nodes in {worked.seconds:.1f} s:"
        f" {told.shipped} shipped"
    )
    reasons = ", ".join(f"{number} {reason}" for reason, number in told.rejected.most_common())
    yield (
        f"{_INDENT}({told.short} of them a unit short), {rejected} rejected ({reasons}),"
        f" {told.silent} without an answer"
    )
    if worked.story:
        yield ""
        yield "  What became of an order that a node could not ship"
        yield ""
        for line in worked.story.splitlines():
            yield f"    {line}".rstrip()
    waiting = ", ".join(f"{number} {kind}" for kind, number in worked.waiting.most_common())
    yield ""
    yield f"  Waiting    {waiting or 'nothing waits'} for a person"


def _checked(report: DemoReport) -> Iterator[str]:
    yield ""
    if report.violations:
        yield f"  Verified   {len(report.violations)} violations"
        for violation in report.violations[:10]:
            yield f"{_INDENT}{violation}"
    else:
        yield f"  Verified   every invariant holds ({report.verify_seconds:.1f} s)"
    yield f"  Done       in {report.seconds:.1f} s"


def _next(report: DemoReport) -> Iterator[str]:
    yield ""
    yield "Try next:"
    yield f"  cd {shlex.quote(str(report.folder))}"
    split = report.tally.split
    if split:
        yield f'  domcore explain "{split.number}" --why-not {report.why_not}'
    yield "  domcore exceptions"
    yield "  domcore kpi"
    yield "  domcore stock --node ST-NYC --below 3"
