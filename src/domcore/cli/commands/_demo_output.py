"""The demo's report for programs."""

from __future__ import annotations

from typing import Any

from domcore.cli.commands.route import totals
from domcore.cli.output import plain
from domcore.demo.run import DemoReport


def summary(report: DemoReport) -> dict[str, Any]:
    """What the demo reports, as JSON values."""
    by_node = {
        node: {
            "orders": tally.orders,
            "parcels": tally.parcels,
            "units": tally.units,
            "cost": plain(tally.cost),
        }
        for node, tally in sorted(report.tally.by_node.items())
    }
    return {
        "folder": str(report.folder),
        "seed": report.seed,
        "skus": report.skus,
        "received": dict(sorted(report.received.outcomes.items())),
        "refused": [
            {"place": place, "reason": reason} for place, reason in report.received.refused
        ],
        "route": totals(report.route),
        "compared_orders": report.tally.compared,
        "by_node": by_node,
        "holds": dict(report.tally.holds),
        "split": report.tally.split.number if report.tally.split else None,
        "violations": report.violations,
    }
