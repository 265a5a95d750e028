"""The demo's nodes: they take the work that lies in their folder, and say what became of it.

Files go in and out as domcore-files describes them; only the people at the nodes are made up.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from attrs import define, field

EXCHANGE: Final = Path("exchange") / "nodes"
COLUMNS: Final = (
    "key", "status", "at", "line", "quantity", "package", "carrier", "tracking", "reason",
)  # fmt: skip
REASONS: Final = (("not_found", 5), ("damaged", 2), ("no_capacity", 3))
REJECTED: Final = 5
SHORT: Final = 8
SILENT: Final = 2
"""Percent of the work that is rejected whole; of the work with several units that is picked
short; and of which nothing is heard."""

Row = dict[str, Any]


@define
class Told:
    """What the nodes have said so far."""

    work: int = 0
    shipped: int = 0
    short: int = 0
    silent: int = 0
    rejected: Counter[str] = field(factory=Counter)


class Nodes:
    """Everybody who picks and packs in the demo, in one folder."""

    def __init__(self, folder: Path, random: Random, now: Callable[[], datetime]) -> None:
        self.told: Final = Told()
        self._folder: Final = folder / EXCHANGE
        self._random: Final = random
        self._now: Final = now
        self._round = 0
        self._at = now()
        for name in ("in", "out", "taken"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)

    def work(self, *, willing: bool = False) -> int:
        """Take every file of work and answer; returns how many there were.

        `willing` nodes ship everything.
        """
        self._round += 1
        rows: list[Row] = []
        files = sorted((self._folder / "out").glob("*-*.csv"))
        self._at = self._now()
        for file in files:
            rows += self._answer(list(_read(file)), willing)
            file.replace(self._folder / "taken" / file.name)
        self.told.work += len(files)
        if rows:
            self._write(f"{self._round:03d}.csv", rows)
        return len(files)

    def _answer(self, lines: list[Row], willing: bool) -> Iterator[Row]:
        key = lines[0]["key"]
        if not willing and self._random.randrange(100) < SILENT:
            self.told.silent += 1
            return
        if not willing and self._random.randrange(100) < REJECTED:
            reason = self._reason()
            self.told.rejected[reason] += 1
            yield self._said(key, "rejected", reason=reason)
            return
        yield self._said(key, "accepted")
        tracking = f"1Z{self._random.randrange(10**9):09}"
        box = {"package": "1", "carrier": "UPS", "tracking": tracking}
        short = False
        for line in lines:
            units = int(line["quantity"])
            if units > 1 and not willing and self._random.randrange(100) < SHORT:
                units, short = units - 1, True
                yield self._said(
                    key, "rejected", line=line["line"], quantity=1, reason=self._reason()
                )
            yield self._said(key, "shipped", 40, line=line["line"], quantity=units, **box)
        self.told.shipped += 1
        self.told.short += short

    def _said(self, key: str, status: str, seconds: int = 5, **more: Any) -> Row:
        at = self._at + timedelta(seconds=seconds)
        return {"key": key, "status": status, "at": at.isoformat(), **more}

    def _reason(self) -> str:
        names = [name for name, _ in REASONS]
        return self._random.choices(names, [share for _, share in REASONS])[0]

    def _write(self, name: str, rows: list[Row]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        part = self._folder / "in" / f"{name}.part"
        part.write_text(text.getvalue(), encoding="utf-8")
        os.replace(part, part.with_suffix(""))


def _read(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)
