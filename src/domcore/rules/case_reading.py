"""Reading ``cases.toml``: plain tables to `Case` objects, as strictly as packs are read."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from domcore.errors import ConfigurationError, PluginError
from domcore.model.facts import FactSpec
from domcore.model.item import Attribute, Item
from domcore.model.money import MICROS, micros
from domcore.model.network import NODE_KINDS, Handling, Node
from domcore.model.order import Order, OrderLine
from domcore.model.place import Destination, Point
from domcore.model.postal import normal_destination, normal_node
from domcore.rules.cases import Case, Expectation, ExpectedPlan
from domcore.rules.facts import FactRegistry, check_value
from domcore.rules.pack import FORMAT, Activation, Pack
from domcore.rules.problems import Problems, listed, shown, suggestion
from domcore.rules.request import OpenLine, Request
from domcore.rules.signals import Signals
from domcore.rules.tables import Table, check_plain, read_tree, table_rows

FILES: Final = ("cases.toml", "cases.json")
NOON: Final = "2026-01-05T12:00:00+00:00"
"""When a case happens unless it says so: a Monday."""

DEMAND_DAYS: Final = 28
"""What a node has ``shipped`` in a case, it has in so many days."""

MOST_CASES: Final = 10_000


def load_cases(
    folder: Path | str,
    pack: Pack,
    facts: FactRegistry | None = None,
    elsewhere: Mapping[str, FactSpec] = MappingProxyType({}),
) -> tuple[Case, ...]:
    """The cases beside a pack; none when there is no file.

    Raises:
        ConfigurationError: the file is not one of cases.
    """
    for name in FILES:
        file = Path(folder) / name
        if file.is_file():
            return parse_cases(read_tree(file), pack, facts, elsewhere, source=str(file))
    return ()


def parse_cases(
    tree: Any,
    pack: Pack,
    facts: FactRegistry | None = None,
    elsewhere: Mapping[str, FactSpec] = MappingProxyType({}),
    *,
    source: str = "",
) -> tuple[Case, ...]:
    """Cases from a plain tree, as TOML and JSON give it.

    Args:
        elsewhere: facts that other packs set, which a case may give.

    Raises:
        ConfigurationError: naming every problem, each with its case.
    """
    problems = Problems(source or "cases")
    if not isinstance(tree, Mapping):
        raise ConfigurationError("cases are a table", source=problems.source)
    rows = tree.get("case", [])
    if isinstance(rows, list) and len(rows) > MOST_CASES:
        raise ConfigurationError(f"at most {MOST_CASES:,} cases", source=problems.source)
    check_plain(tree, problems.source)
    top = Table(tree, problems, "")
    top.known("format", "case")
    if tree.get("format") != FORMAT:
        problems.add(f"format = {FORMAT} is the format this version reads", "format")
    registry = FactRegistry() if facts is None else facts
    reader = _Reader(pack, {**registry, **elsewhere}, set(elsewhere), problems)
    cases = tuple(table_rows(rows, "case", problems, reader.case))
    problems.raise_if_any()
    return cases


class _Reader:
    """Reads the tables of one file."""

    def __init__(
        self,
        pack: Pack,
        facts: Mapping[str, FactSpec],
        elsewhere: Container[str],
        problems: Problems,
    ) -> None:
        self.pack = pack
        self.facts = facts
        self.elsewhere = elsewhere
        self.problems = problems

    def case(self, table: Table) -> Case:
        table.known(
            "name", "now", "activation", "order", "node", "line", "facts", "approved", "expect",
            "holds", "plan",
        )  # fmt: skip
        extra: dict[str, Any] = self.given(table, "facts", ("order", "destination"))
        node_facts: dict[str, dict[str, Any]] = {}
        stock: dict[tuple[str, str], int] = {}
        distances: dict[int, int] = {}
        nodes = sorted(self.rows(table, "node"), key=lambda row: row.text("id"))
        made = tuple(
            self.node(row, position, node_facts, stock, distances, extra)
            for position, row in enumerate(nodes)
        )
        every = tuple(self.line(row, extra) for row in self.rows(table, "line"))
        open_lines = tuple(line for line in every if line.open)
        now = datetime.fromisoformat(table.moment("now", "UTC") or NOON)
        now = now if now.tzinfo else now.replace(tzinfo=UTC)
        request = Request(
            order=self.order(table, every, now),
            lines=open_lines,
            now=now,
            distances=distances,
            available=[
                {at: stock.get((node.id, line.line.sku), 0) for at, node in enumerate(made)}
                for line in open_lines
            ],
            approved=frozenset(table.texts("approved")),
            extra=extra,
            rest=tuple(line for line in every if not line.open),
            **self.history(table, nodes),
        )
        return Case(
            name=table.text("name", required=True),
            activation=self.activation(table),
            nodes=made,
            stock=stock,
            node_facts=node_facts,
            request=request,
            expect=tuple(self.expectation(row) for row in self.rows(table, "expect")),
            holds=table.texts("holds") if "holds" in table.tree else None,
            plan=self.plan(table),
        )

    def rows(self, table: Table, key: str) -> list[Table]:
        """The sub-tables under a key."""
        found = table.tree.get(key, [])
        if not isinstance(found, list | tuple) or not all(isinstance(r, Mapping) for r in found):
            table.problem(key, f"is written [[case.{key}]]")
            return []
        return [Table(row, self.problems, f"{table.place}, {key} {n}") for n, row in
                enumerate(found, start=1)]  # fmt: skip

    def sub(self, table: Table, key: str) -> Table:
        found = table.tree.get(key, {})
        if not isinstance(found, Mapping):
            table.problem(key, "is a table")
            found = {}
        return Table(found, self.problems, f"{table.place}, {key}")

    def activation(self, table: Table) -> Activation:
        own = self.sub(table, "activation")
        own.known("layer", "channels", "nodes", "parameters")
        parameters = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.sub(own, "parameters").tree.items()
        }
        try:
            return Activation(
                self.pack.name,
                layer=own.text("layer", default="retailer"),
                channels=own.texts("channels"),
                nodes=own.texts("nodes"),
                parameters=parameters,
            )
        except ConfigurationError as error:
            own.problem("layer", error.message)
            return Activation(self.pack.name)

    def order(self, table: Table, lines: tuple[OpenLine, ...], now: datetime) -> Order:
        own = self.sub(table, "order")
        own.known(
            "owner", "channel", "number", "service", "customer_tier", "tags", "currency",
            "country", "region", "postal", "placed_at", "ship_by", "deliver_by", "attempts",
            "rejections", "attributes",
        )  # fmt: skip
        placed = datetime.fromisoformat(own.moment("placed_at", "UTC") or now.isoformat())
        country = own.text("country")
        return Order(
            owner=own.text("owner", default="main"),
            channel=own.text("channel", default="web"),
            external_id="case",
            revision=1,
            placed_at=placed if placed.tzinfo else placed.replace(tzinfo=UTC),
            currency=own.text("currency", default=self.pack.currency or "USD"),
            lines=tuple(line.line for line in lines),
            destination=normal_destination(
                Destination(country, own.text("region"), own.text("postal"))
            )
            if country
            else None,
            number=own.text("number"),
            service=own.text("service", default="standard"),
            customer_tier=own.text("customer_tier"),
            tags=own.texts("tags"),
            attributes=self.attributes(own),
            ship_by=self.moment(own, "ship_by"),
            deliver_by=self.moment(own, "deliver_by"),
        )

    def moment(self, table: Table, key: str) -> datetime | None:
        told = table.moment(key, "UTC")
        found = datetime.fromisoformat(told) if told else None
        return found.replace(tzinfo=UTC) if found and not found.tzinfo else found

    def history(self, table: Table, rows: list[Table]) -> dict[str, Any]:
        """What went before: decisions, rejections, nodes that ship already, and their work."""
        order = self.sub(table, "order")
        work: dict[int, tuple[int, int]] = {}
        shipped: dict[str, dict[int, int]] = {}
        used = []
        for at, row in enumerate(rows):
            work[at] = (row.whole("open_orders", 10**9), row.whole("open_units", 10**9))
            for sku, units in self.counts(row, "shipped").items():
                shipped.setdefault(sku, {})[at] = units
            if row.flag("ships_already", default=False):
                used.append(at)
        return {
            "attempts": order.whole("attempts", 10**6),
            "rejections": order.whole("rejections", 10**6),
            "used": tuple(used),
            "signals": Signals(work, DEMAND_DAYS, shipped),
        }

    def line(self, row: Table, extra: dict[str, Any]) -> OpenLine:
        row.known(
            "id", "sku", "quantity", "open", "price", "weight", "dimensions", "category", "tags",
            "attributes", "facts",
        )  # fmt: skip
        sku = row.text("sku", required=True)
        quantity = row.whole("quantity", 10**9) if "quantity" in row.tree else 1
        line = OrderLine(
            id=row.text("id", default=sku),
            sku=sku,
            quantity=quantity,
            price=self.amount(row, "price"),
            attributes=self.attributes(row),
        )
        for fact, value in self.given(row, "facts", ("line",)).items():
            extra.setdefault(fact, {})[line.id] = value
        sides = row.tree.get("dimensions", [0, 0, 0])
        if not (isinstance(sides, list) and [type(side) for side in sides] == [int] * 3):
            row.problem("dimensions", "length, width and height in millimetres")
            sides = [0, 0, 0]
        item = Item(
            sku,
            weight=row.whole("weight", 10**9),
            dimensions=(sides[0], sides[1], sides[2]),
            category=row.text("category"),
            tags=row.texts("tags"),
        )
        left = row.whole("open", 10**9) if "open" in row.tree else quantity
        return OpenLine(line, item, left, max(0, quantity - left))

    def node(
        self,
        row: Table,
        position: int,
        node_facts: dict[str, dict[str, Any]],
        stock: dict[tuple[str, str], int],
        distances: dict[int, int],
        extra: dict[str, Any],
    ) -> Node:
        row.known(
            "id", "kind", "country", "region", "postal", "priority", "tags", "connector",
            "rate_card", "handling", "attributes", "stock", "distance_km", "facts", "open_orders",
            "open_units", "shipped", "ships_already",
        )  # fmt: skip
        name = row.text("id", required=True)
        kind = row.text("kind", default="dc")
        if kind not in NODE_KINDS:
            row.problem("kind", f"no kind {shown(kind)}; kinds are {', '.join(NODE_KINDS)}")
        if "distance_km" in row.tree:
            distances[position] = self.amount(row, "distance_km") // 1_000
        for fact, value in self.given(row, "facts", ("node", "candidate")).items():
            if fact.startswith("node."):
                node_facts.setdefault(name, {})[fact] = value
            else:
                extra.setdefault(fact, {})[name] = value
        for sku, units in self.counts(row, "stock").items():
            stock[name, sku] = units
        node = Node(
            id=name,
            kind=kind,
            point=Point(0, 0),
            country=row.text("country"),
            region=row.text("region"),
            postal=row.text("postal"),
            rate_card=row.text("rate_card"),
            handling=self.handling(row),
            priority=row.whole("priority", 1_000_000),
            tags=row.texts("tags"),
            connector=row.text("connector"),
            attributes=self.attributes(row),
        )
        return normal_node(node)

    def handling(self, row: Table) -> Handling:
        work = self.sub(row, "handling")
        work.known("parcel", "line", "unit")
        return Handling(*(self.amount(work, key) for key in ("parcel", "line", "unit")))

    def expectation(self, row: Table) -> Expectation:
        row.known("rule", "nodes", "lines")
        rule = row.text("rule", required=True)
        pack, _, name = rule.rpartition("/")
        ids = [each.id for each in self.pack.rules]
        if rule and pack in ("", self.pack.name) and name not in ids:
            there = suggestion(name, ids) or f"; its rules are {listed(ids)}"
            row.problem("rule", f"there is no rule {shown(name)} in {self.pack.name}{there}")
        return Expectation(
            rule,
            row.texts("nodes") if "nodes" in row.tree else None,
            row.texts("lines") if "lines" in row.tree else None,
        )

    def plan(self, table: Table) -> ExpectedPlan | None:
        if "plan" not in table.tree:
            return None
        own = self.sub(table, "plan")
        own.known("ships", "short")
        ships = self.sub(own, "ships")
        return ExpectedPlan(
            {node: self.counts(ships, node) for node in ships.tree}, self.counts(own, "short")
        )

    # Values

    def amount(self, row: Table, key: str) -> int:
        """A decimal in quotes, or a whole number, in millionths."""
        value = row.tree.get(key, 0)
        if type(value) is int and abs(value) <= 10**9:
            return value * MICROS
        try:
            return micros(value)
        except ValueError:
            row.problem(key, f'{shown(value)} is not a number in quotes, such as "12.50"')
            return 0

    def counts(self, row: Table, key: str) -> dict[str, int]:
        own = self.sub(row, key)
        return {name: own.whole(name, 10**9) for name in own.tree}

    def attributes(self, row: Table) -> tuple[tuple[str, Attribute], ...]:
        found = self.sub(row, "attributes").tree
        if not all(type(value) in (str, int, bool) for value in found.values()):
            row.problem("attributes", "text, whole numbers, true or false")
            return ()
        return tuple(sorted(found.items()))

    def given(self, row: Table, key: str, entities: tuple[str, ...]) -> dict[str, Any]:
        """Plugin facts, brought into the form that plugins give them in."""
        found = {}
        own = self.sub(row, key)
        for name, value in own.tree.items():
            spec = self.facts.get(name)
            given = name.count(".") == 2 or name in self.elsewhere
            if spec is None or spec.entity not in entities or not given:
                hint = suggestion(name, self.facts)
                own.problem(name, f"no fact of that name that a plugin or another pack gives{hint}")
                continue
            found[name] = self.fact_value(own, spec, name, value)
        return found

    def fact_value(self, own: Table, spec: FactSpec, name: str, value: Any) -> Any:
        if spec.type in ("decimal", "money"):
            return self.amount(own, name)
        value = tuple(value) if isinstance(value, list) else value
        if name in self.elsewhere:
            try:
                return check_value(spec, value)
            except PluginError:
                own.problem(name, f"is {spec.type} where it is set, not {shown(value)}")
        return value
