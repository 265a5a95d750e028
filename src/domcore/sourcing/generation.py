"""Which planner and which facts a decision was made by, and in which format it is written.

A decision that is made again by what it was made by gives the same bytes. A later planner may
decide otherwise, and rightly so; its number then tells a decision that was made by an earlier one
from a record that was damaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

FORMAT: Final = 2
"""Format 1 names no generation: it was written by the first ones only."""

FORMATS: Final = (1, FORMAT)


class Generation(NamedTuple):
    """`planner` decides what is made of supply, policy and rates; `facts` is what rules read, mean
    and merge to."""

    planner: int
    facts: int


# Raise `planner` when the same supply, policy and rates may give another plan, cost, bound, method
# or parcel; raise `facts` when the same packs, order and network may give another policy. Once for
# all changes between two releases. Decisions of the generation that was released last keep giving
# the same bytes (docs/design/0026-generations.md).
CURRENT: Final = Generation(planner=2, facts=2)

RELEASED: Final = Generation(planner=1, facts=1)
"""What wrote the records of format 1."""


def generation_of(record: Mapping[str, Any]) -> Generation:
    """What a record was made by.

    Raises:
        ValueError: it names none.
    """
    if record["format"] == 1:
        return RELEASED
    made: Sequence[Any] = record["made"]
    if len(made) != 4 or any(type(number) is not int or number < 1 for number in made[2:]):
        raise ValueError("the decision record does not say which planner and facts made it")
    return Generation(made[2], made[3])
