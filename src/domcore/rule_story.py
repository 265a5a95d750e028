"""What one rule said of one order, and where and why it was silent: as values, tree and text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from attrs import asdict, frozen

from domcore.model import decimal_text, money_text
from domcore.model.clock import from_micros

MOST_PLACES: Final = 30
"""Findings that are told as text; a tree has all of them."""


@frozen(slots=True)
class RuleFinding:
    """What a rule said in some places that are alike.

    Args:
        nodes: the nodes; empty where the rule does not tell nodes apart.
        lines: ids of the lines; empty where it does not tell lines apart.
        spoke: whether it spoke there.
        bars: whether it keeps these nodes from these lines.
        failing: the part of its condition that failed, as written; empty where it is true.
        values: the facts it read and their values, as people write them; None is missing.
    """

    nodes: tuple[str, ...]
    lines: tuple[str, ...]
    spoke: bool
    bars: bool
    failing: str
    values: tuple[tuple[str, Any], ...]


@frozen(slots=True)
class RuleStory:
    """One rule and one decision.

    Args:
        sequence: the decision; 0 where nothing was decided yet, and the rules of now are asked.
        silent: why the rule is not in force for this order at all; empty where it is.
        dropped: whether it is a soft rule that gave way, for what would have stayed short.
        amount: what it adds to the parcels in all, in micros; None where it adds nothing.
        remarks: what somebody should know before trusting this.
    """

    order: tuple[str, str, str]
    number: str
    sequence: int
    at: datetime
    currency: str
    rule: str
    version: str = ""
    verb: str = ""
    condition: str = ""
    reason: str = ""
    silent: str = ""
    soft: bool = False
    dropped: bool = False
    amount: int | None = None
    findings: tuple[RuleFinding, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def spoke(self) -> bool:
        """Whether it spoke of any of it."""
        return any(found.spoke for found in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """A tree of JSON values: money as decimal text, times in ISO 8601."""
        tree = asdict(self)
        tree["spoke"] = self.spoke
        tree["at"] = self.at.isoformat()
        tree["amount"] = None if self.amount is None else decimal_text(self.amount)
        return tree

    def to_text(self) -> str:
        """The story in words."""
        return "\n".join(self._text())

    def _text(self) -> Iterator[str]:
        name = self.number or self.order[2]
        decided = f"decision {self.sequence}" if self.sequence else "not decided yet"
        when = self.at.strftime("%Y-%m-%d %H:%M UTC")
        yield f"Order {name} ({'/'.join(self.order[1:])}), {decided}, {when}"
        soft = ", soft" if self.soft else ""
        yield f"{self.rule} {self.version} ({self.verb}{soft}) {self.reason}".rstrip()
        if self.condition:
            yield f"  when {self.condition}"
        if self.silent:
            yield f"It was silent: {self.silent}"
        else:
            yield "It spoke" if self.spoke else "It was silent"
        for found in () if self.silent else self.findings[:MOST_PLACES]:
            yield from _finding_text(found)
        if len(self.findings) > MOST_PLACES:
            yield f"  ... and {len(self.findings) - MOST_PLACES:,} more (all with --json)"
        if self.amount is not None:
            yield f"It added {money_text(self.amount, self.currency)}"
        if self.dropped:
            yield "It gave way: soft rules are dropped for what would have stayed short"
        for remark in self.remarks:
            yield f"Note: {remark}"


def _finding_text(found: RuleFinding) -> Iterator[str]:
    places = [f"at {_some(found.nodes)}"] if found.nodes else []
    places += (
        [f"of {'line' if len(found.lines) == 1 else 'lines'} {_some(found.lines)}"]
        if (found.lines)
        else []
    )
    where = " ".join(places)
    if found.spoke:
        what = "true" if not found.failing else f"not met: {found.failing}"
        what += ", so it bars the node" if found.bars and found.nodes else ""
    else:
        what = f"failed: {found.failing}"
    yield f"  {where}: {what}" if where else f"  {what}"
    read = ", ".join(f"{name} = {_value(value)}" for name, value in found.values)
    if read:
        yield f"    it read {read}"


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"


def _value(value: object) -> str:
    if value is None:
        return "missing"
    return repr(list(value)) if isinstance(value, tuple | list) else str(value)


def shown_value(kind: str, value: Any) -> Any:
    """A fact's value as people write it: millionths as decimal text, times in ISO 8601.

    Args:
        kind: the fact's type, see `FactSpec.type`.
    """
    if type(value) is not int:
        return value
    if kind in ("money", "decimal"):
        return decimal_text(value, 0 if kind == "decimal" else 2)
    return from_micros(value).isoformat() if kind == "time" else value
