"""What a rule engine must do: match closed, typed tests against flat facts.

Everything above this line (scopes, chaining, precedence, effects) is domcore's own and the same
for every engine, so two engines that match alike decide alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

from attrs import frozen

FieldType = Literal["int", "str", "bool"]
FlatValue = int | str | bool
FlatFact = Mapping[str, FlatValue]
"""One entity's facts by field name. A missing fact is a missing key, never None."""

Operator = Literal["eq", "ne", "lt", "lte", "gt", "gte", "exists", "missing"]


@frozen(slots=True)
class Leaf:
    """``field op value`` or ``field op other_field`` (`ref`).

    A comparison in which either side is missing is false; `Not` of it is therefore true. Values
    and fields compared have one type; ``bool`` fields take only eq, ne, exists and missing.
    """

    field: str
    op: Operator
    value: FlatValue | None = None
    ref: str | None = None


@frozen(slots=True)
class All:
    """True when every part is (an empty one is true)."""

    parts: tuple[Test, ...]


@frozen(slots=True)
class Any:
    """True when some part is (an empty one is false)."""

    parts: tuple[Test, ...]


@frozen(slots=True)
class Not:
    """True when the part is not."""

    part: Test


Test = Leaf | All | Any | Not


class Matcher(Protocol):
    """A compiled list of tests. Single-owner: one thread at a time."""

    def match(self, facts: Sequence[FlatFact]) -> list[int]:
        """For each fact a bit mask: bit ``i`` is set when test ``i`` is true of it.

        Fields that no test reads are ignored. A value of a type its field does not have is the
        caller's mistake: it compares as Python compares it, which may raise TypeError.

        Raises:
            ValueError: the matcher is closed.
        """
        ...

    def close(self) -> None:
        """Give back what the engine holds. Calling it twice is harmless."""
        ...


@runtime_checkable
class RuleEngine(Protocol):
    """Compiles tests. Engines are chosen by `name` in the configuration."""

    name: str

    def compile(self, tests: Sequence[Test], fields: Mapping[str, FieldType]) -> Matcher:
        """Build a matcher.

        Raises:
            ConfigurationError: a field is not declared, a type does not fit, or the engine's
                limits are exceeded. Nothing is leaked.
        """
        ...
