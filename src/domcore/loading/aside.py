"""Bad rows of a file as a file beside it, in which they can be mended and loaded again."""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Literal

from attrs import frozen

from domcore.errors import PayloadError, Problem
from domcore.loading.formats import SUFFIXES, Record, Source, Types, heading, records_as_written
from domcore.loading.problems import Problems

BadRows = Literal["aside", "refuse"]
"""What becomes of a file with bad rows: they are written aside, or it is refused whole."""

BAD_ROWS: Final[tuple[BadRows, ...]] = ("aside", "refuse")

MOST_FILES: Final = 1000
"""How many files of bad rows may lie beside one file."""

_NUMBERED: Final = re.compile(r"\.bad(-\d+)?\Z")


@frozen(slots=True)
class Aside:
    """The rows of a file that were left out.

    Args:
        rows: how many there are.
        file: where they stand as they were written; empty where there are none.
        reasons: the file that says why, row by row.
        problems: the same, in the order of the file that was loaded.
    """

    rows: int = 0
    file: str = ""
    reasons: str = ""
    problems: tuple[Problem, ...] = ()
    _new: bool = False

    def remove(self) -> None:
        """Take both files away again, because nothing was loaded; what lay there before stays."""
        if self._new:
            for name in (self.file, self.reasons):
                Path(name).unlink(missing_ok=True)


def write_aside(source: Source, types: Types, problems: Problems) -> Aside:
    """Write the bad rows of a file to a new file beside it, and the reasons to another.

    No file is written over. Where a file of just these rows lies there already, because the same
    file is loaded once more, that is the one.

    Raises:
        PayloadError: they cannot be written there; nothing of the file may be taken then.
    """
    if not problems.rows:
        return Aside()
    earlier: list[Path] = []
    try:
        for path in _names(source):
            try:
                with path.open("xb") as file:
                    reasons = _write(file, path, source, types, problems)
            except FileExistsError:
                earlier.append(path)
                continue
            return _settled(path, earlier, reasons, problems)
    except OSError as error:
        raise _refused(problems, path, error.strerror or str(error)) from None
    raise _refused(problems, path, f"{MOST_FILES:,} such files lie there already")


def _refused(problems: Problems, path: Path, why: str) -> PayloadError:
    return problems.refusal(f"its bad rows cannot be written to {path}: {why}")


def _names(source: Source) -> Iterator[Path]:
    """``stock.bad.csv``, ``stock.bad-2.csv``, ...; documents become JSON Lines."""
    home = source.home or source.path
    suffix = home.suffix
    if source.format not in ("csv", "jsonl"):
        suffix = ".jsonl"
    elif SUFFIXES.get(suffix.lower()) != source.format:
        suffix = f".{source.format}"
    stem = _NUMBERED.sub("", home.stem)
    for number in range(1, MOST_FILES + 1):
        yield home.with_name(f"{stem}.bad{f'-{number}' if number > 1 else ''}{suffix}")


def _write(
    file: BinaryIO, path: Path, source: Source, types: Types, problems: Problems
) -> list[str]:
    """Write the rows; returns the lines of the reasons."""
    reasons: list[str] = []
    line = 0
    try:
        if source.format == "csv":
            line += _put(file, heading(source))
        for record in records_as_written(source, types, Problems(source.name)):
            found = problems.rows.get(record.place)
            if found:
                line += _put(file, _text(record))
                reasons += [f"{path.name}:{line} was {each}" for each in found]
        file.flush()
        os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return reasons


def _put(file: BinaryIO, text: str) -> int:
    """Write whole lines; returns how many there were, as files are counted when they are read."""
    raw = text.encode()
    if not raw.endswith((b"\n", b"\r")):
        raw += b"\n"
    file.write(raw)
    return len(raw.splitlines())


def _text(record: Record) -> str:
    if record.raw:
        return record.raw
    import msgspec  # --help does without

    return msgspec.json.Encoder(decimal_format="number").encode(record.values).decode()


def _settled(path: Path, earlier: list[Path], reasons: list[str], problems: Problems) -> Aside:
    """The new file with its reasons, or one that lay there already and holds the same."""
    same = next((each for each in earlier if filecmp.cmp(each, path, shallow=False)), None)
    file = same or path
    if same is not None:
        path.unlink()
        reasons = [f"{same.name}{each.removeprefix(path.name)}" for each in reasons]
    beside = file.with_name(f"{file.name}.reasons.txt")
    try:
        beside.unlink(missing_ok=True)
        with beside.open("x", encoding="utf-8") as told:
            told.writelines(f"{each}\n" for each in reasons)
    except OSError:
        if same is None:
            path.unlink(missing_ok=True)
        raise
    told_in_order = tuple(problems.in_order())
    return Aside(len(problems.rows), str(file), str(beside), told_in_order, new=same is None)
