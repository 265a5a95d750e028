"""What is in a box that several notices tell of, each perhaps only a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Lines = tuple[tuple[str, int], ...]
Place = tuple[int | str, ...]
"""The lines that a name may mean; a name that means none stands for itself."""


def content_of(told: Iterable[Lines], names: Mapping[str, Sequence[int]]) -> Lines:
    """Of each line the most that any of them tells, so that repeats add nothing and their order
    does not matter. Units called by a SKU of several lines are those of its lines that are told by
    id, as far as there are so many.

    Args:
        names: the lines of the work, by line id and SKU; other names stand for themselves.
    """
    different = set(told)
    if len(different) < 2:
        return next(iter(different), ())
    most: dict[Place, int] = {}
    called: dict[Place, str] = {}
    for lines in different:
        units: dict[Place, int] = {}
        for name, number in lines:
            place: Place = tuple(names.get(name, ())) or (name,)
            units[place] = units.get(place, 0) + number
            called[place] = min(called.get(place, name), name)
        for place in [each for each in called if len(each) > 1]:
            units[place] = units.get(place, 0) + _of_lines(units, place)
        for place, number in units.items():
            most[place] = max(most.get(place, 0), number)
    found: dict[Place, int] = {p: number for p, number in most.items() if len(p) == 1}
    for place, number in most.items():
        if len(place) > 1:
            found[place] = number - _of_lines(most, place)
    return tuple(sorted((called[place], number) for place, number in found.items() if number > 0))


def _of_lines(units: Mapping[Place, int], place: Iterable[int | str]) -> int:
    """Units that are told line by line, of a SKU's lines."""
    return sum(units.get((number,), 0) for number in place)
