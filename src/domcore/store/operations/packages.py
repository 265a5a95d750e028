"""The boxes of a fulfillment order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domcore.codec.stored import Bodies
from domcore.model.package import Package
from domcore.store.changes import Changes, Row
from domcore.store.rows import PackageRow


def write_packages(
    changes: Changes,
    bodies: Bodies,
    key: tuple[int, int, int],
    known: Sequence[Row],
    boxes: Mapping[str, Package],
) -> bool:
    """Write the boxes that are new or told differently; whether there were any.

    Args:
        key: order, sequence, node.
        known: the rows of that fulfillment order.
    """
    stored = {row[3]: row[4] for row in known}
    changed = False
    for name, box in boxes.items():
        body = bodies.package.dump(box)
        if stored.get(name) != body:
            changes.add("packages", PackageRow(*key, name, body))
            changed = True
    return changed
