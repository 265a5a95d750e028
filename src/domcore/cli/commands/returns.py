"""``domcore returns authorize|receive|list``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from domcore.cli.exits import DONE, NOTHING
from domcore.cli.invocation import Invocation
from domcore.cli.output import Column, clean, joined, moment, times
from domcore.cli.references import named
from domcore.cli.verb import Examples, verb
from domcore.errors import NotFound
from domcore.model import CONDITIONS, AuthorizeReturn, ReceiveReturn, Return, money_text

if TYPE_CHECKING:
    from domcore.app import Domcore

_COLUMNS: Final = (
    Column("RETURN", "return"),
    Column("ORDER", "order"),
    Column("NODE", "node"),
    Column("STATUS", "status"),
    Column("SINCE", "authorized_at", moment),
    Column("LINES", "lines", lambda lines: joined(_line_text(line) for line in lines)),
)
_order = click.argument("order")
_lines = click.option(
    "--line",
    "lines",
    multiple=True,
    metavar="LINE=UNITS",
    help="A line of the order and how many units; may be given several times.",
)
_node = click.option("--node", default="", help="Where to; the planner chooses otherwise.")


@click.group(
    cls=Examples,
    examples=['domcore returns authorize "#1051"', "domcore returns list --node DC-EAST"],
)
def command() -> None:
    """Take goods back.

    A return is authorized first, which chooses the node it goes to; what arrives is restocked,
    blocked or written off by its condition.
    """


@verb(
    'domcore returns authorize "#1051"',
    'domcore returns authorize "#1051" --line 56000011739670=1 --reason "too small" --id RMA-7',
    exits=(NOTHING,),
    writes=True,
)
@_order
@_lines
@click.option("--id", "return_id", default="", help="The return's number; the next free one.")
@click.option("--reason", default="", help="Why, in the customer's words; no personal data.")
@_node
def authorize(
    run: Invocation, order: str, lines: Sequence[str], return_id: str, reason: str, node: str
) -> int:
    """Let units of ORDER come back: the lines named, or all that has shipped.

    Exit code 3 says that nothing has shipped, or that no node takes it.
    """
    with run.open() as dom:
        reference = named(dom, order)
        key = dom.order(reference).order.key
        wanted = _units(lines) or _all_shipped(dom, reference)
        if not wanted:
            run.out.note("Nothing of this order has shipped and is not coming back already.")
            return NOTHING
        return_id = return_id or f"R{len(dom.returns(reference)) + 1}"
        asked = AuthorizeReturn(*key, return_id, wanted, node=node, reason=reason)
        outcome = dom.authorize_return(asked)
        found = [each for each in dom.returns(reference) if each.return_id == return_id]
        about = _about(dom, outcome.order_id, return_id)
    row: dict[str, Any] = {"outcome": outcome.outcome, "detail": outcome.detail}
    row |= {"about": about, **_row(order, found[0])} if found else {}
    if run.out.as_json:
        run.out.object(row)
    if outcome.outcome == "nothing":
        run.out.note(clean(f"No node takes it: {outcome.detail}."))
        return NOTHING
    units = times(sum(units for _, units in wanted), "unit")
    cost = f", {money_text(about['cost'], about['currency'])}" if "cost" in about else ""
    again = " (it was authorized before)" if outcome.outcome == "duplicate" else ""
    run.out.say(clean(f"Return {return_id}: {units} to {found[0].node}{cost}{again}."))
    for other, amount in about.get("instead_of", ()):
        run.out.say(clean(f"  not {other}: {money_text(amount, about['currency'])}"))
    run.out.say(f'Next: domcore returns receive "{order}" {return_id}')
    return DONE


@verb(
    'domcore returns receive "#1051" R1',
    'domcore returns receive "#1051" R1 --line 56000011739670=1:damaged --close',
    exits=(NOTHING,),
    writes=True,
)
@_order
@click.argument("return_id", metavar="RETURN")
@click.option(
    "--line",
    "lines",
    multiple=True,
    metavar="LINE=UNITS[:CONDITION]",
    help="What arrived; without it and --close all that is waited for, and sellable.",
)
@click.option("--node", default="", help="Where it arrived; where it was sent otherwise.")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="When; now otherwise.")
@click.option(
    "--close", is_flag=True, help="Nothing more is expected: without --line, nothing is taken in."
)
@click.option("--key", default="", help="Makes it safe to repeat.")
def receive(
    run: Invocation,
    order: str,
    return_id: str,
    lines: Sequence[str],
    node: str,
    at: datetime | None,
    close: bool,
    key: str,
) -> int:
    """Units of RETURN have arrived: sellable ones are restocked, damaged ones blocked until the
    next count, scrap is written off.

    Without --line, all that is waited for has arrived. --close ends the return: with --line after
    taking these in, without it as it stands, and what has not arrived is not waited for any more.
    """
    with run.open() as dom:
        reference = named(dom, order)
        owner_key = dom.order(reference).order.key
        if all(each.return_id != return_id for each in dom.returns(reference)):
            raise NotFound(f"{order} has no return {return_id!r}; authorize it first")
        arrived = _conditions(lines) or (() if close else _all_coming(dom, reference, return_id))
        if not arrived and not close:
            run.out.note("Nothing more is expected of this return.")
            return NOTHING
        outcome = dom.receive_return(
            ReceiveReturn(*owner_key, return_id, arrived, node=node, at=at, close=close, key=key)
        )
        found = [each for each in dom.returns(reference) if each.return_id == return_id]
    if run.out.as_json:
        taken = sum(units for _, units, _ in arrived)
        run.out.object({"outcome": outcome.outcome, "taken_in": taken, **_row(order, found[0])})
    run.out.say(clean(f"Return {return_id}: {outcome.detail or outcome.outcome}."))
    for line in found[0].lines:
        run.out.say(clean(f"  {_line_text(_line_row(line))}"))
    return DONE


@verb("domcore returns list", "domcore returns list --node DC-EAST", name="list")
@click.argument("order", required=False)
@click.option("--node", help="Only those that go there.")
@click.option("--all", "closed", is_flag=True, help="Those that are closed, too.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many."
)
@click.option("--after", type=click.IntRange(0), default=0, help="After the return of this id.")
def list_(
    run: Invocation, order: str | None, node: str | None, closed: bool, limit: int, after: int
) -> None:
    """List returns that are waited for, or those of ORDER."""
    with run.open() as dom:
        if order is not None:
            rows = [_row(order, each) for each in dom.returns(named(dom, order))]
        else:
            found = dom.find_returns(node=node, waiting=not closed, limit=limit, after=after)
            rows = [
                {"id": number, **_row(_number(dom, each.order_id), each)} for number, each in found
            ]
    run.out.rows(_COLUMNS, rows, empty="There are no such returns.")


for _command in (authorize, receive, list_):
    command.add_command(_command)


def _units(lines: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """``4471=2`` in parts."""
    found = []
    for text in lines:
        line, equals, units = text.rpartition("=")
        if not equals or not (units.isascii() and units.isdigit() and len(units) < 11):
            raise click.BadParameter(f"{text!r}: write LINE=UNITS", param_hint="--line")
        found.append((line, int(units)))
    return tuple(found)


def _conditions(lines: Sequence[str]) -> tuple[tuple[str, int, str], ...]:
    """``4471=2:damaged`` in parts."""
    found = []
    for text in lines:
        rest, _, condition = text.partition(":") if text.count(":") == 1 else (text, "", "")
        condition = condition or CONDITIONS[0]
        if condition not in CONDITIONS:
            raise click.BadParameter(
                f"{text!r}: the condition is one of {', '.join(CONDITIONS)}", param_hint="--line"
            )
        ((line, units),) = _units([rest])
        found.append((line, units, condition))
    return tuple(found)


def _all_shipped(dom: Domcore, reference: str) -> tuple[tuple[str, int], ...]:
    view = dom.order(reference)
    coming: dict[str, int] = {}
    for each in dom.returns(reference):
        for line in each.lines:
            units = line.received if each.status == "closed" else line.units
            coming[line.line] = coming.get(line.line, 0) + units
    left = {
        line.id: buckets.shipped - coming.get(line.id, 0)
        for line, buckets in zip(view.order.lines, view.lines, strict=True)
    }
    return tuple((line, units) for line, units in left.items() if units > 0)


def _all_coming(dom: Domcore, reference: str, return_id: str) -> tuple[tuple[str, int, str], ...]:
    return tuple(
        (line.line, line.units - line.received, CONDITIONS[0])
        for each in dom.returns(reference)
        if each.return_id == return_id
        for line in each.lines
        if line.units > line.received
    )


def _about(dom: Domcore, order_id: int | None, return_id: str) -> dict[str, Any]:
    """What the planner said when the return was authorized."""
    for event in dom.store.events(order_id=order_id):
        if event.kind == "return.authorized" and event.body.get("return") == return_id:
            return dict(event.body)
    return {}


def _number(dom: Domcore, order_id: int) -> str:
    summary = dom.store.order(order_id).summary
    return summary.number or summary.external_id


def _row(order: str, each: Return) -> dict[str, Any]:
    return {
        "return": each.return_id,
        "order": order,
        "node": each.node,
        "status": each.status,
        "authorized_at": each.authorized_at,
        "reason": each.reason,
        "lines": [_line_row(line) for line in each.lines],
    }


def _line_row(line: Any) -> dict[str, Any]:
    return {
        "line": line.line,
        "sku": line.sku,
        "units": line.units,
        "restocked": line.restocked,
        "blocked": line.blocked,
        "written_off": line.written_off,
    }


def _line_text(line: dict[str, Any]) -> str:
    done = [
        f"{line[key]} {word}"
        for key, word in (
            ("restocked", "restocked"),
            ("blocked", "blocked"),
            ("written_off", "written off"),
        )
        if line[key]
    ]
    return f"{line['units']} x {line['sku']} (line {line['line']})" + (
        f": {', '.join(done)}" if done else ""
    )
