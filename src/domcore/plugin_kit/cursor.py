"""Where a pull goes on: a time, a page, and what was told lately.

A pull begins a little before the newest change it has seen, for partners write changes down late
and several in one second. What was told of that stretch is remembered, so nothing is told twice.

A change that is dated in the future is told like any other, but nothing goes on from there: one
wrong clock would hide all that changes until then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from attrs import evolve, field, frozen

FORMAT: Final = 1
OVERLAP: Final = 60_000_000
"""Microseconds that are read again."""

ROOM: Final = 8_000
"""Letters of a cursor that what was told may fill; where that is too little, less is read again."""

LATE: Final = 900_000
"""Where in its second a content lies that replaced another one of the same second."""

MOST_CHANGES: Final = 99_999
LAST: Final = 250_000_000_000_000_000
"""Microseconds; no time is later."""

_SECOND: Final = 1_000_000
LONGEST_ID: Final = 300
"""Letters of an id, as it is written down; a longer one is not remembered."""


@frozen(slots=True)
class Told:
    """What was told of a thing: the second it changed in, its content, and the how-manieth
    content of that second it is."""

    at: int
    digest: str
    turn: int = 0

    def revision(self, first: int) -> int:
        """The revision to tell it as; `first` is that of the second's first content."""
        return self.at + LATE + self.turn if self.turn else first


@frozen(slots=True)
class Cursor:
    """The state of a pull. Times are microseconds of whole seconds.

    Args:
        since: changes from then on are read. 0 is from the beginning.
        latest: the newest change seen that is not dated in the future.
        page: the next page of a pull that has not come to its end, in the partner's own words.
        told: by id, whatever it looks like: a number, ``12-34567-8901234``, ``A17``. One that is
            empty, or very long, is not remembered.
        floor: what was told of changes before it is not remembered any more.
    """

    since: int = 0
    latest: int = 0
    page: str = ""
    told: Mapping[str, Told] = field(factory=dict)
    floor: int = 0

    def tell(self, id: str, at: int, digest: str) -> Told | None:
        """How to tell a thing that changed at `at`; None where it was told like this already."""
        before = self.told.get(id)
        if before is None or before.at != at:
            return Told(at, digest)
        if before.digest == digest:
            return None
        return Told(at, digest, min(before.turn + 1, MOST_CHANGES))

    def after(
        self, told: Mapping[str, Told], *, now: int, page: str = "", since: int | None = None
    ) -> Cursor:
        """The cursor once these have been told.

        Args:
            now: what time it is.
            page: the page that follows; without one it goes on from the newest change.
            since: where that page is counted from, if not from where this one was.
        """
        most = min(max(now, 0) + OVERLAP, LAST)
        seen = [each.at for each in told.values() if each.at <= most]
        latest = max([min(self.latest, most), *seen])
        kept, floor = _fitting({**self.told, **told}, latest)
        floor = min(max(self.floor, floor), latest)
        if page:
            begin = self.since if since is None else since
        else:
            begin = max(latest - OVERLAP, floor, 0)
        return evolve(
            self, since=min(begin, most), latest=latest, page=page, told=kept, floor=floor
        )

    def dump(self) -> str:
        """As text, for the task that keeps it."""
        told = (
            f"{_written(id)}:{(self.latest - each.at) // _SECOND}:{each.digest}:{each.turn or ''}"
            for id, each in self.told.items()
        )
        return json.dumps(
            {
                "format": FORMAT,
                "since": self.since,
                "latest": self.latest,
                "floor": self.floor,
                "page": self.page,
                "told": ",".join(told),
            },
            separators=(",", ":"),
        )


def load_cursor(text: str) -> Cursor:
    """The cursor in `text`; one that cannot be read begins anew, for repeats change nothing."""
    try:
        value: Any = json.loads(text) if text else {}
        since, latest, floor = (int(value.get(each, 0)) for each in ("since", "latest", "floor"))
        told: dict[str, Told] = {}
        for entry in filter(None, value.get("told", "").split(",")):
            id, ago, digest, turn = entry.split(":")
            told[unquote(id, errors="strict")] = Told(
                latest - int(ago) * _SECOND, digest, int(turn or 0)
            )
        if not all(0 <= each <= LAST for each in (since, latest, floor)):
            return Cursor()
        return Cursor(since, latest, str(value.get("page", "")), told, floor)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return Cursor()


def digest_of(content: object) -> str:
    """A short mark of what was read of a thing."""
    return hashlib.blake2s(repr(content).encode("utf-8", "replace"), digest_size=4).hexdigest()


def _written(id: str) -> str:
    """An id without the marks that a cursor is written with; empty where it is no text."""
    try:
        return quote(id, safe="")
    except UnicodeEncodeError:
        return ""


def _fitting(told: Mapping[str, Told], latest: int) -> tuple[dict[str, Told], int]:
    """What was told lately, as far as there is room, and from when on all of it is there."""
    near = [
        (id, each)
        for id, each in told.items()
        if each.at >= latest - OVERLAP and 0 < len(_written(id)) <= LONGEST_ID
    ]
    near.sort(key=lambda item: (item[1].at, item[0]), reverse=True)
    room = ROOM
    for at, (id, each) in enumerate(near):
        ago = (latest - each.at) // _SECOND
        room -= len(f"{_written(id)}:{ago}:{each.digest}:{each.turn},")
        if room < 0:
            return dict(near[:at]), min(each.at + _SECOND, latest)
    return dict(near), 0
