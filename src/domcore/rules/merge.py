"""The precedence law: from what single rules say to one `Policy`.

``exclude`` unites, ``require`` intersects, ``cost`` adds up, ``protect`` takes the largest,
``split`` takes the highest rank that speaks and within equal rank the tightest, ``hold`` takes
them all. The order in which rules are said never matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from domcore.model.policy import HOLD_STAGES, Hold, Policy, Split, Terms

Rank = tuple[int, int]


class Merge:
    """Gathers what is said of one order.

    Args:
        lines: how many open lines there are.
        within: mask of the candidates; nothing is kept of any other node.
    """

    __slots__ = (
        "cost_rules", "costs", "fired", "floors", "hard", "holds", "lines", "soft", "splits",
        "within",
    )  # fmt: skip

    def __init__(self, lines: int, within: int) -> None:
        self.lines = lines
        self.within = within
        self.hard = [0] * lines
        self.soft: list[int] | None = None
        self.floors: list[tuple[bool, tuple[int, int, int]]] = []
        self.costs: list[tuple[str, int, int, int]] = []
        self.cost_rules: list[tuple[int, str]] = []
        self.splits: list[tuple[bool, Rank, int | None, bool | None]] = []
        self.holds: dict[str, Hold] = {}
        self.fired: list[tuple[int, int, int]] = []

    def bar(self, line: int, mask: int, *, soft: bool) -> None:
        """Bar nodes from a line, or with -1 from every line."""
        if soft:
            if self.soft is None:
                self.soft = [0] * self.lines
            barred = self.soft
        else:
            barred = self.hard
        if line >= 0:
            barred[line] |= mask
        else:
            for number in range(self.lines):
                barred[number] |= mask

    def say(
        self,
        verb: str,
        arguments: Mapping[str, Any],
        line: int,
        mask: int,
        *,
        own: int,
        soft: bool,
        rank: Rank,
        rule: tuple[int, str],
    ) -> None:
        """Take in one consequence. `mask` lies within `own`, the nodes the rule may speak of.

        Args: rule: the number and the name of who says it.
        """
        if verb == "exclude":
            self.bar(line, mask, soft=soft)
        elif verb == "cost":
            self.costs.append((arguments["per"], line, mask, arguments["amount"]))
            self.cost_rules.append(rule)
        elif verb == "require":
            self.bar(line, own & ~mask, soft=soft)
        elif verb == "protect":
            self.floors.append((soft, (line, mask, arguments["quantity"])))
        elif verb == "split":
            spread = (arguments["max_nodes"], arguments["ship_complete"])
            self.splits.append((soft, rank, *spread))

    def hold(self, hold: Hold, approved: Set[str]) -> None:
        """Take in a hold unless it is approved; of two with one code the earlier stage stands."""
        if hold.code in approved:
            return
        known = self.holds.get(hold.code)
        if known is None or _urgency(hold) < _urgency(known):
            self.holds[hold.code] = hold

    def policy(self) -> Policy:
        """What it all comes to."""
        softened = (
            self.soft is not None
            or any(soft for soft, _ in self.floors)
            or any(entry[0] for entry in self.splits)
        )
        return Policy(
            first=self._terms(soft_too=True),
            second=self._terms(soft_too=False) if softened else None,
            costs=tuple(self.costs),
            holds=tuple(self.holds[code] for code in sorted(self.holds)),
            fired=tuple(self.fired),
            cost_rules=tuple(self.cost_rules),
        )

    def _terms(self, *, soft_too: bool) -> Terms:
        barred = self.hard
        if soft_too and self.soft is not None:
            barred = [hard | soft for hard, soft in zip(self.hard, self.soft, strict=True)]
        floors = tuple(floor for soft, floor in self.floors if soft_too or not soft)
        splits = [entry[1:] for entry in self.splits if soft_too or not entry[0]]
        return Terms(tuple(barred), floors, _spread(splits) if splits else _ANYHOW)


_ANYHOW = Split()


def _urgency(hold: Hold) -> tuple[int, str]:
    return HOLD_STAGES.index(hold.stage), hold.reason


def _spread(splits: list[tuple[Rank, int | None, bool | None]]) -> Split:
    """Each of the two settings by itself: highest rank first, then the tightest."""
    nodes = [(rank, most) for rank, most, _ in splits if most is not None]
    whole = [(rank, complete) for rank, _, complete in splits if complete is not None]
    most = max((rank, -most) for rank, most in nodes)[1] if nodes else None
    complete = max(whole)[1] if whole else False
    return Split(None if most is None else -most, complete)
