"""``domcore nodes``."""

from __future__ import annotations

from typing import Any, Final

import click

from domcore.cli.invocation import Invocation
from domcore.cli.known import unknown
from domcore.cli.output import Column, joined
from domcore.cli.paging import after, limit, more
from domcore.cli.verb import verb
from domcore.model import NODE_KINDS, Node

_COLUMNS: Final = (
    Column("NODE", "id"),
    Column("KIND", "kind"),
    Column("NAME", "name"),
    Column("WHERE", "", lambda row: joined(filter(None, (row["region"], row["country"])))),
    Column("RATE CARD", "rate_card"),
    Column("TAGS", "tags", joined),
    Column("ENABLED", "enabled", lambda enabled: "yes" if enabled else "no"),
)


@verb("domcore nodes --kind store", "domcore nodes --json")
@click.option("--kind", type=click.Choice(NODE_KINDS), help="Nodes of this kind.")
@click.option("--tag", help="Nodes with this tag.")
@limit
@after("the id of the last node seen")
def command(
    run: Invocation, kind: str | None, tag: str | None, limit: int, after: str | None
) -> None:
    """List the nodes of the network by id, a page at a time."""
    with run.open() as dom:
        nodes = dom.network().nodes
        hint = unknown(dom, {"tag": tag})
    found = [
        node
        for node in nodes
        if (kind is None or node.kind == kind)
        and (tag is None or tag in node.tags)
        and (after is None or node.id > after)
    ]
    run.out.rows(_COLUMNS, map(row_of, found[:limit]), empty=f"No such nodes{hint or '.'}")
    if len(found) > limit:
        more(run, found[limit - 1].id)


def row_of(node: Node) -> dict[str, Any]:
    """One node for programs."""
    return {
        "id": node.id,
        "kind": node.kind,
        "name": node.name,
        "lat": node.point.lat / 1_000_000,
        "lon": node.point.lon / 1_000_000,
        "country": node.country,
        "region": node.region,
        "rate_card": node.rate_card,
        "priority": node.priority,
        "tags": node.tags,
        "owners": node.owners,
        "connector": node.connector,
        "enabled": node.enabled,
    }
