"""The files that packs are read from, and whether they are still the same."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_ENDINGS: Final = (".toml", ".json", ".csv", ".txt")
"""Of files that may be part of a pack: rules, cases, and lists that rules look in."""

Signature = tuple[tuple[str, int, int, int], ...]
"""Path, size, and times of change (content, entry) of every file of every pack, in nanoseconds."""


def pack_folders(root: Path, folders: Iterable[str], more: Iterable[str]) -> list[Path]:
    """The folders that hold a pack, one level below `folders`; and those of `more` themselves."""
    found: dict[Path, None] = {}
    for folder in folders:
        for file in sorted((root / folder).glob("*/ruleset.*")):
            found[file.parent.resolve()] = None
    for path in more:
        found[Path(path).resolve()] = None
    return list(found)


def signature(folders: Iterable[Path]) -> Signature:
    """What the files of these packs look like from outside: other once one of them was written."""
    return tuple(sorted(each for folder in folders for each in _looks(folder)))


def _looks(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(_ENDINGS):
                    stat = entry.stat()
                    yield entry.path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
    except OSError:
        # A folder or file that goes away meanwhile looks as if it were not there, and so it is.
        yield str(folder), -1, 0, 0
