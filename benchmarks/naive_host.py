"""durable_rules used the obvious way: a Host, and one fact for each line at each node.

    python benchmarks/naive_host.py RULES NODES ORDERS      # prints {"ms": ..., "fired": ...}

Run by `rules.py` in a process of its own, because used like this it may crash or hang. Every
entity's facts are flattened into one message; what fires is collected, then the facts go again.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from durable.engine import Host, MessageNotHandledException
from rules_mix import (
    GROUPS,
    LOAD,
    Ask,
    Leaf,
    asks,
    loads,
    nodes,
    rules,
)

from domcore.model import Node

RULES_AT_ONCE = 50
"""More than 64 conditions true of one fact is an error, so a large pack is cut into rulesets."""

COMPARE = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte", "!=": "$neq"}


class NaiveHost(Host):  # type: ignore[misc]
    """A Host whose only action counts."""

    def __init__(self) -> None:
        super().__init__()
        self.fired = 0

    def get_action(self, _name: str) -> Any:
        """Every rule's consequence."""

        def count(_closure: Any) -> None:
            self.fired += 1

        return count


def condition(leaves: tuple[Leaf, ...]) -> dict[str, Any]:
    """One message condition."""
    parts = [_part(*leaf) for leaf in leaves]
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _part(fact: str, op: str, value: Any) -> dict[str, Any]:
    if op == "has":
        return {f"{fact}_{value}".replace(".", "_"): True}
    if value == "destination.country":
        return {"abroad": True}
    name = fact.replace(".", "_")
    return {name: value} if op == "==" else {COMPARE[op]: {name: value}}


def definitions(count: int) -> dict[str, dict[str, Any]]:
    """The rulesets in durable_rules' own form."""
    found: dict[str, dict[str, Any]] = {}
    for number, rule in enumerate(rules(count)):
        ruleset = found.setdefault(f"mix{number // RULES_AT_ONCE}", {})
        ruleset[f"r{number}"] = {"all": [{"m": condition(rule.leaves)}], "run": f"r{number}"}
    return found


def messages(ask: Ask, places: list[Node], load: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Everything known, once for each line at each node."""
    order, found = ask.order, []
    assert order.destination is not None
    whole: dict[str, Any] = {
        "order_value": order.value // 1_000_000,
        "order_customer_tier": order.customer_tier,
        "order_service": order.service,
        **{f"order_tags_{tag}": True for tag in order.tags},
    }
    for at, node in enumerate(places):
        there = {
            "node_kind": node.kind,
            "node_country": node.country,
            "node_bench_load": load[node.id][LOAD.name],
            "candidate_distance_km": ask.distances[at] // 1000,
            "abroad": node.country != order.destination.country,
            **{f"node_tags_g{group}": f"g{group}" in node.tags for group in range(GROUPS)},
        }
        for number, line in enumerate(ask.lines):
            found.append(
                {
                    **whole,
                    **there,
                    "id": f"{node.id}-{number}",
                    "line_unit_weight": line.item.weight,
                    "line_category": line.item.category,
                    **{f"line_tags_{tag}": True for tag in line.item.tags},
                }
            )
    return found


def judge(host: NaiveHost, rulesets: list[str], batch: list[dict[str, Any]], session: str) -> None:
    """Assert every message, then forget the session."""
    for ruleset in rulesets:
        for message in batch:
            try:
                host.assert_fact(ruleset, {**message, "sid": session})
            except MessageNotHandledException:
                continue
        host.delete_state(ruleset, session)


def main() -> None:
    """Time some orders."""
    rule_count, node_count, orders = map(int, sys.argv[1:4])
    host = NaiveHost()
    rulesets = definitions(rule_count)
    names = list(rulesets)
    host.register_rulesets(rulesets)
    places = nodes(node_count)
    load = loads(places)
    questions = asks(orders, places)
    started = time.process_time()
    for number, ask in enumerate(questions):
        judge(host, names, messages(ask, places, load), f"s{number}")
    spent = time.process_time() - started
    print(json.dumps({"ms": spent / orders * 1e3, "fired": host.fired}), flush=True)


if __name__ == "__main__":
    main()
