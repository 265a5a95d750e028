"""What an explanation says, as values, as a tree for machines, and as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import asdict, frozen

from domcore.codec.showing import shown
from domcore.model import (
    Certificate,
    Hold,
    Parcel,
    amount_text,
    decimal_text,
    difference_shown,
    money_text,
    parts_shown,
)
from domcore.sourcing.generation import CURRENT

REPLAYED: Final = "replay"
RECORDED: Final = "record"

_SHORT = {
    "stock": "not enough in stock anywhere",
    "rules": "rules and floors leave too little",
    "rejected": "nodes have rejected it",
    "moved": "too little is where a person wants it from",
    "split": "the allowed split cannot cover it",
    "item": "the SKU is not known",
}


@frozen(slots=True)
class RuleWord:
    """What one rule said, with the values it read; `amount` is what it adds to the parcels in all,
    in micros, None where it adds nothing. A soft rule that is `dropped` gave way for what would
    have stayed short."""

    rule: str
    version: str
    verb: str
    reason: str = ""
    condition: str = ""
    values: tuple[tuple[str, Any], ...] = ()
    amount: int | None = None
    dropped: bool = False


@frozen(slots=True)
class LineStory:
    """Where one line comes from: `sources` are ``(node, units)``; `short` units find none."""

    line: str
    sku: str
    open: int
    sources: tuple[tuple[str, int], ...]
    short: int = 0
    reason: str = ""


@frozen(slots=True)
class NodeStory:
    """Why one node ships or not.

    `verdict` is ``ships, dearer, parcels, nodes, tie, rules, floor, stock, rate, short, split,
    better, held, owner, disabled``, or ``earlier`` where an earlier planner decided and nobody can
    tell any more; `extra` is what the best plan using it would cost more, in micros; `distance` is
    in metres, None where it holds nothing. `alternative` is that best plan, as ``(node, SKU,
    units)``, and its cost; `proven` says whether there is no better one, None where there was
    nothing to compare. `rules` are those that spoke of it; of a node that is only dearer they are
    told where it was asked about.
    """

    node: str
    distance: int | None
    verdict: str
    reason: str
    extra: int | None = None
    rules: tuple[RuleWord, ...] = ()
    alternative: tuple[tuple[str, str, int], ...] = ()
    alternative_cost: int | None = None
    proven: bool | None = None


@frozen(slots=True)
class Explanation:
    """One decision, or a plan of which nothing was decided (`sequence` None), and its reasons.

    `replayed` says that deciding again from the record gave the same bytes; `asked` is the story
    of the node somebody asked about. `planner` and `facts` are the numbers of what decided it;
    where that is not what decides today, and decides otherwise, `told_from` is ``record`` instead
    of ``replay`` and nothing is told of the nodes that lost. `others` are the nearest nodes that
    hold some of it and ship nothing, `others_untold` how many more there are. `status` is the
    order's today; `other_decisions` are the numbers of those that are not told here; `remarks` is
    what somebody should know before trusting the numbers.
    """

    order: tuple[str, str, str]
    number: str
    sequence: int | None
    at: datetime
    currency: str
    lines: tuple[LineStory, ...]
    parcels: tuple[Parcel, ...]
    cost: int
    holds: tuple[Hold, ...]
    certificates: tuple[Certificate, ...]
    others: tuple[NodeStory, ...]
    rules: tuple[RuleWord, ...]
    made: tuple[str, str]
    replayed: bool
    incidents: tuple[str, ...] = ()
    asked: NodeStory | None = None
    status: str = ""
    other_decisions: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()
    planner: int = CURRENT.planner
    facts: int = CURRENT.facts
    told_from: str = REPLAYED
    others_untold: int = 0

    def to_dict(self) -> dict[str, Any]:
        """A tree of JSON values: money as decimal text, distances in metres, times in ISO 8601."""
        tree: dict[str, Any] = _plain(asdict(self))
        return tree

    def to_text(self) -> str:
        """The story in words, a few dozen lines; what strangers wrote makes none of its own."""
        return "\n".join(map(shown, self._text()))

    def _text(self) -> Iterator[str]:
        name = self.number or self.order[2]
        when = self.at.strftime("%Y-%m-%d %H:%M UTC")
        order = f"Order {name} ({'/'.join(self.order[1:])})"
        if self.sequence is None:
            yield f"{order}, planned {when}; nothing is decided"
        else:
            yield f"{order}, decision {self.sequence}, {when}"
        if self.status:
            yield f"The order is {self.status} now"
        yield from self._holds_text()
        yield "Lines"
        proven = all(each.proven for each in self.certificates)
        for line in self.lines:
            yield from _line_text(line, proven=proven)
        if self.parcels:
            yield f"Parcels, {self._money(self.cost)} in all"
            costs = parts_shown([parcel.cost for parcel in self.parcels], self.currency)
            for parcel, cost in zip(self.parcels, costs, strict=True):
                yield from self._parcel_text(parcel, cost)
        if self.rules:
            yield "Rules that spoke"
            for word in self.rules:
                more = "" if word.amount is None else f" {self._money(word.amount)}"
                more += ", gave way" if word.dropped else ""
                yield f"  {word.rule} {word.version} ({word.verb}{more}) {word.reason}".rstrip()
        if self.others:
            yield "Nodes that hold some of it and do not ship"
            for story in self.others:
                yield f"  {self._story_text(story)}"
            if self.others_untold:
                more = counted(self.others_untold, "more node")
                yield f"  and {more} farther away (ask about one with --why-not)"
        if self.asked is not None:
            yield from self._asked_text(self.asked)
        for remark in self.remarks:
            yield f"Note: {remark}"
        for incident in self.incidents:
            yield f"A plugin failed: {incident}"
        yield self._proof_text()
        if self.other_decisions:
            numbers = ", ".join(map(str, self.other_decisions))
            yield f"Other decisions on this order: {numbers} (ask with --decision)"

    def _holds_text(self) -> Iterator[str]:
        for hold in self.holds:
            waits = "nothing is reserved" if hold.stage == "route" else "reserved, not handed over"
            yield f"HELD by {hold.code}: {hold.reason} ({waits})"

    def _parcel_text(self, parcel: Parcel, cost: int) -> Iterator[str]:
        """Args: cost: what is shown of its cost, so that the parcels add up."""
        contents = ", ".join(f"{units} x {sku}" for sku, units in parcel.contents)
        yield (
            f"  {parcel.node}: {contents}; {_km(parcel.distance)}, {parcel.weight} g,"
            f" {self._money(cost)}"
        )
        amounts = parts_shown([term.amount for term in parcel.terms], self.currency, total=cost)
        yield "    = " + ", ".join(
            f"{term.name} {amount_text(amount, self.currency)}"
            for term, amount in zip(parcel.terms, amounts, strict=True)
        )

    def _story_text(self, story: NodeStory) -> str:
        far = f" ({_km(story.distance)})" if story.distance is not None else ""
        more = f": {self._extra(story)}" if story.extra else ""
        return f"{story.node}{far}: {story.reason}{more}"

    def _asked_text(self, story: NodeStory) -> Iterator[str]:
        yield f"Why not {story.node}?" if story.verdict != "ships" else f"{story.node}"
        yield f"  {self._story_text(story)}"
        if story.alternative and story.alternative_cost is not None:
            takes = ", ".join(
                f"{units} x {sku} from {node}" for node, sku, units in story.alternative
            )
            yield f"  it would be: {takes}; {self._money(story.alternative_cost)}"
        for word in story.rules:
            yield f"  {word.rule} {word.version} says {word.verb}: {word.reason or word.condition}"
            read = ", ".join(f"{name} = {_value(value)}" for name, value in word.values)
            if read:
                yield f"    it read {read}"

    def _proof_text(self) -> str:
        proofs: list[str] = []
        for certificate in self.certificates:
            if certificate.proven:
                text = f"proven least cost ({certificate.method})"
                proofs += [text] if text not in proofs else []
            else:
                gap = self._money(certificate.gap)
                proofs.append(f"at most {gap} above the least cost ({certificate.method})")
        if self.told_from == RECORDED:
            replayed = "told from its record"
        else:
            replayed = "replays to the same bytes" if self.replayed else "DOES NOT replay"
        return "; ".join([*proofs, f"rule engine {self.made[1]}", replayed])

    def _extra(self, story: NodeStory) -> str:
        """What a plan would cost more, or less; it fits the costs shown beside it."""
        extra = story.extra or 0
        theirs = extra if story.alternative_cost is None else story.alternative_cost
        shown = difference_shown(theirs - extra, theirs, self.currency)
        word = "more" if extra > 0 else "less"
        if shown:
            return f"{self._money(abs(shown))} {word}"
        return f"{decimal_text(abs(extra))} {self.currency} {word}"

    def _money(self, amount: int) -> str:
        return money_text(amount, self.currency)


def _line_text(line: LineStory, *, proven: bool) -> Iterator[str]:
    """Args: proven: whether what is short had to be."""
    sources = ", ".join(f"{units} from {node}" for node, units in line.sources)
    if not line.sources and not line.short:
        sources = line.reason or "nothing open"
    yield f"  {line.line}  {line.open} x {line.sku}: {sources}".rstrip(": ")
    if line.short:
        reason = _SHORT.get(line.reason, line.reason)
        if line.reason == "split" and not proven:
            reason = "no plan within the allowed split was found that covers it"
        yield f"    {line.short} stay{'s' if line.short == 1 else ''} open: {reason}"


def counted(number: int, word: str) -> str:
    """``1 unit``, ``2 units``."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def unweighed_text(card: str, skus: Sequence[str]) -> str:
    """Says that a rate card needs weights that items do not have."""
    more = f" and {len(skus) - 3:,} more" if len(skus) > 3 else ""
    have = "has" if len(skus) == 1 else "have"
    return f"rate card {card!r} goes by weight, and {', '.join(skus[:3])}{more} {have} none"


def _km(metres: int) -> str:
    return f"{metres / 1000:.0f} km"


def _value(value: object) -> str:
    if value is None:
        return "missing"
    return repr(list(value)) if isinstance(value, tuple) else str(value)


_MONEY: Final = frozenset({"alternative_cost", "amount", "bound", "cost", "extra"})


def _plain(value: Any, name: str = "") -> Any:
    """JSON values; fields of money by their names."""
    if isinstance(value, dict):
        return {key: _plain(part, key) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if name in _MONEY and type(value) is int:
        return decimal_text(value)
    return value
