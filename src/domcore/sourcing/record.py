"""A decision's record: what was read and what was decided, as JSON that replays to itself.

Format 2, which names the generation of planner and facts; format 1, which does not, is read, and
written where one of its decisions is made again. Node positions are those of the network named by
``network``; rule numbers those of the program named by ``program``. Both are stored by digest.
Every input that planning read is here or in the order's revision, so `question_from` gives back
the very question, and deciding it again by the same generation gives the very bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from attrs import evolve

from domcore.model import Destination, Directive, Hold, Item, Order, Parcel, Plan, Point
from domcore.model.clock import from_micros, to_micros
from domcore.rules.signals import Signals
from domcore.sourcing.charges import RuleName
from domcore.sourcing.field import Field
from domcore.sourcing.generation import FORMATS, generation_of
from domcore.sourcing.passes import Box, Pass
from domcore.sourcing.question import Options, Past, Question
from domcore.sourcing.supply import Supply
from domcore.sourcing.survey import Survey

_encode: Final = msgspec.json.Encoder().encode


def inputs(
    question: Question,
    seen: Survey,
    outside: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The half of the record that the decision was made from."""
    order, supply, options = question.order, question.supply, question.options
    place = order.destination.point if order.destination else None
    record: dict[str, Any] = {
        "format": question.format,
        "made": question.made if question.format == 1 else (*question.made, *question.generation),
        "order": order.key,
        "revision": order.revision,
        "sequence": question.sequence,
        "purpose": question.purpose,
        "at": to_micros(question.now),
        "currency": question.currency,
        "open": question.open,
        "approved": question.approved,
        "point": None if place is None else (place.lat, place.lon),
        "objective": options.objective,
        "limits": (options.step_limit, options.review_nodes_over),
        "seed": options.seed,
        "network": supply.field.digest,
        "program": question.program,
        "items": _item_rows([pool.item for pool in seen.pools]),
        "stock": [_stock_rows(supply, pool.item_id) for pool in seen.pools],
    }
    if order.destination is not None and question.normal:
        to = order.destination
        record["to"] = (to.country, to.region, to.postal)
    if question.rate[0]:
        record["rate"] = question.rate
    past = question.past
    if past is not None:
        known = {pool.item.sku for pool in seen.pools}
        rest = [line.item for line in seen.rest if line.line.sku not in known]
        record["past"] = (past.units, past.nodes, past.beyond, _item_rows(rest))
    if question.signals is not None:
        record["signals"] = _signals_row(question.signals)
    if question.coarse:
        record["coarse"] = question.coarse
    if question.excluded or question.avoided:
        record["rejected"] = (question.excluded, question.avoided)
    if question.rejections:
        record["attempts"] = (question.rejections, options.max_attempts)
    if outside:
        record["outside"] = outside
    return record


def _item_rows(items: Sequence[Item]) -> list[tuple[Any, ...]]:
    return [
        (item.sku, item.weight, item.category, item.tags, item.attributes, item.dimensions)
        for item in items
    ]


def _stock_rows(supply: Supply, item_id: int) -> list[tuple[int, int, int]]:
    safety = supply.safety.get(item_id)
    rows = sorted(supply.available[item_id].items())
    if not safety:
        return [(at, units, 0) for at, units in rows]
    floor = safety.get
    return [(at, units, floor(at, 0)) for at, units in rows]


def outputs(
    plan: Plan, holds: Sequence[Hold], rules: Sequence[int], passes: Sequence[Pass],
    boxes: Sequence[Box], charged: Sequence[RuleName], format: int,
) -> dict[str, Any]:  # fmt: skip
    """The half that says what was decided: in positions and integers, words are for explaining.

    Args:
        charged: the rules that add to the cost.
        format: the format that is written.
    """
    numbers = {rule: number for number, rule in charged if rule not in _OWN_TERMS}
    return {
        "rules": rules,
        "holds": [(hold.code, hold.reason, hold.stage) for hold in holds],
        "take": [(at, pool, units) for each in passes for at, pool, units in each.solution.take],
        "parcels": [
            (
                box.at,
                sorted(box.units.items()),
                parcel.weight,
                parcel.distance,
                _term_rows(parcel, numbers, format),
            )
            for box, parcel in zip(boxes, plan.parcels, strict=True)
        ],
        "short": [(each.line, each.quantity, each.reason) for each in plan.shortages],
        "passes": [
            (each.solution.method, each.solution.cost, each.solution.bound, each.solution.proven)
            for each in passes
        ],
        "cost": plan.cost,
        "nodes": len({allocation.node for allocation in plan.allocations}),
    }


_OWN_TERMS: Final = ("rate", "handling")


def _term_rows(
    parcel: Parcel, numbers: Mapping[str, int], format: int
) -> list[tuple[str | int, int]]:
    """A parcel's terms, what rules add by their numbers; in format 1 that is one sum."""
    terms = parcel.terms
    if not numbers:
        return [(term.name, term.amount) for term in terms]
    if format > 1:
        return [(numbers.get(term.name, term.name), term.amount) for term in terms]
    rows: list[tuple[str | int, int]] = [
        (term.name, term.amount) for term in terms if term.name not in numbers
    ]
    added = sum(term.amount for term in terms if term.name in numbers)
    return [*rows, ("rules", added)] if added else rows


def encode(record: Mapping[str, Any]) -> bytes:
    """The record's bytes."""
    return _encode(record)


def decode(record: bytes) -> dict[str, Any]:
    """The record as plain values.

    Raises:
        ValueError: it is not a record of a format known here.
    """
    values = msgspec.json.decode(record)
    if not isinstance(values, dict) or values.get("format") not in FORMATS:
        raise ValueError(f"not a decision record of format {' or '.join(map(str, FORMATS))}")
    return values


def question_from(record: Mapping[str, Any], order: Order, field: Field) -> Question:
    """The question that a record answers.

    Args:
        record: the decoded record.
        order: the order at the record's revision.
        field: the network that the record names.
    """
    supply = Supply(field)
    owner = order.owner
    for item_id, (row, stock) in enumerate(zip(record["items"], record["stock"], strict=True)):
        supply.put_items(owner, [(row[0], (item_id, _item_from(row)))])
        supply.available[item_id] = {at: units for at, units, _ in stock}
        safety = {at: floor for at, _, floor in stock if floor}
        if safety:
            supply.safety[item_id] = safety
    past = None
    if "past" in record:
        units, nodes, beyond, rest = record["past"]
        past = Past(tuple(units), tuple(nodes), beyond)
        for item_id, row in enumerate(rest, len(record["items"])):
            supply.put_items(owner, [(row[0], (item_id, _item_from(row)))])
    destination, place = order.destination, record["point"]
    if destination is not None:
        country, region, postal = record.get("to") or (
            destination.country, destination.region, destination.postal,
        )  # fmt: skip
        point = destination.point if place is None else Point(*place)
        order = evolve(order, destination=Destination(country, region, postal, point))
    step_limit, review = record["limits"]
    excluded, avoided = record.get("rejected", ((), ()))
    rejections, most = record.get("attempts", (0, 0))
    return Question(
        order,
        tuple(record["open"]),
        supply,
        from_micros(record["at"]),
        record["currency"],
        tuple(record["approved"]),
        record["sequence"],
        record["purpose"],
        Options(tuple(record["objective"]), step_limit, record["seed"], review, most),
        (record["made"][0], record["made"][1]),
        record["program"],
        tuple((line, at, reason) for line, at, reason in excluded),
        tuple((line, at, reason) for line, at, reason in avoided),
        rejections,
        normal="to" in record or destination is None,
        coarse=record.get("coarse", ""),
        rate=tuple(record.get("rate", ("", ""))),
        generation=generation_of(record),
        format=record["format"],
        past=past,
        signals=_signals_from(record["signals"]) if "signals" in record else None,
    )


def _signals_row(signals: Signals) -> tuple[Any, ...]:
    work = [(at, orders, units) for at, (orders, units) in signals.work.items()]
    shipped = [(sku, list(units.items())) for sku, units in signals.shipped.items()]
    return (work, signals.days, shipped)


def _signals_from(row: Sequence[Any]) -> Signals:
    work, days, shipped = row
    return Signals(
        {at: (orders, units) for at, orders, units in work},
        days,
        {sku: dict(rows) for sku, rows in shipped},
    )


def _item_from(row: Sequence[Any]) -> Item:
    sku, weight, category, tags, attributes, dimensions = row
    return Item(
        sku,
        "",
        weight,
        tuple(dimensions),
        category,
        tuple(tags),
        tuple((name, value) for name, value in attributes),
    )


def directive_row(directive: Directive) -> list[Any]:
    """A foreign directive as it stands in a record."""
    return [
        directive.rule, directive.verb, directive.reason, directive.nodes, directive.lines,
        directive.arguments, directive.soft, directive.rank,
    ]  # fmt: skip


def directive_from(row: Sequence[Any]) -> Directive:
    """The other way round."""
    rule, verb, reason, nodes, lines, arguments, soft, rank = row
    return Directive(
        rule,
        verb,
        reason,
        None if nodes is None else tuple(nodes),
        None if lines is None else tuple(lines),
        dict(arguments),
        soft,
        (rank[0], rank[1]),
    )
