"""Rules that read what floors leave are asked once everything that protects has spoken.

* First the `protect` rules that do not read it, and plugins' directives;
* then those that do: to them the floors of the first are known;
* then all the rest: to them every floor is known.

Within a wave the order of rules does not matter, as ever.
"""

from __future__ import annotations

from collections.abc import Sequence

from domcore.rules.goods import FLOORED
from domcore.rules.judge import Clause, Judging, ask, hear
from domcore.rules.merge import Merge
from domcore.rules.tree import leaves

Waves = tuple[tuple[Clause, ...], ...]


def waves_of(clauses: Sequence[Clause]) -> Waves:
    """The clauses by wave; one wave where no rule reads what floors leave."""
    readers = {clause.rule.number for clause in clauses if _reads_floored(clause)}
    if not readers:
        return (tuple(clauses),)
    waves: tuple[list[Clause], ...] = ([], [], [])
    for clause in clauses:
        number = clause.rule.number
        waves[2 if clause.rule.rule.verb != "protect" else int(number in readers)].append(clause)
    return tuple(map(tuple, waves))


def speak(
    waves: Waves, judging: Judging, merge: Merge, active: int, rules: int, *, hard: bool = False
) -> None:
    """Put every active rule and directive to the order.

    Args:
        rules: how many rules there are: directives are numbered after them.
        hard: whether facts see the hard floors only, as they are once soft rules are dropped.
    """
    directives = judging.sitting.request.directives
    if len(waves) == 1:
        ask(waves[0], judging, merge, active)
        hear(directives, judging, merge, rules)
        return
    begun = len(merge.fired)
    hear(directives, judging, merge, rules)
    for wave in waves:
        judging.lift([floor for soft, floor in merge.floors if not (hard and soft)])
        ask(wave, judging, merge, active)
    merge.fired[begun:] = sorted(merge.fired[begun:])


def _reads_floored(clause: Clause) -> bool:
    return any(
        fact.name in FLOORED for leaf in leaves(clause.rule.condition) for fact in leaf.facts
    )
