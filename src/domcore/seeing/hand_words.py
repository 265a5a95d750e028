"""What people have changed by hand, and what was cancelled, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def corrected_words(body: Mapping[str, Any]) -> list[str]:
    """The event ``order.amended``: by whom it was changed, and what of that is over."""
    how = "corrected by hand" if body.get("by_hand") else "changed"
    parts = [f"{how} (revision {body['revision']})"]
    if body.get("fields") and not body.get("changed"):
        parts.append(f"{_listed(body['fields'])} changed")
    if body.get("over"):
        over = [subject.removeprefix("line:") for subject in body["over"]]
        parts.append(f"its channel says otherwise of {_listed(over)} than was said by hand")
    return parts


def by_hand_words(body: Mapping[str, Any]) -> str:
    """The events ``work.moved`` and ``order.rerouted``."""
    if "nodes" in body:
        nodes = _listed(body["nodes"]) or "no node"
        return f"taken back from {nodes} by hand: {_units(body['units'])} to be planned anew"
    where = f"to {body['to']}" if body.get("to") else "elsewhere"
    units = sum(units for _, units in body["lines"])
    text = f"{_units(units)} to go {where} instead of {body['node']}"
    if body.get("requested"):
        text += f"; {body['node']} has them and is asked to stop"
    return text


def cancelled_words(body: Mapping[str, Any]) -> str:
    """The event ``order.cancelled``."""
    text = f"cancelled: {_units(body['units'])}"
    asked, left = body.get("requested"), body.get("left")
    if left and not (body["units"] or asked):
        text = "to be cancelled, but nothing was left to cancel"
    if asked:
        text += f"; {asked:,} {'node' if asked == 1 else 'nodes'} asked to stop"
    return f"{text}; {_units(left)} had left" if left else text


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _units(number: int) -> str:
    return f"{number:,} {'unit' if number == 1 else 'units'}"
