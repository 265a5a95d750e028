"""Long lists of texts that conditions look in, read from a file beside the pack."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from domcore.rules.builtin_facts import LONGEST_TEXT
from domcore.rules.problems import Problems, listed, shown, suggestion

MOST_LISTED: Final = 250_000
"""Values of one list."""

MOST_LISTS: Final = 100
LARGEST_LIST: Final = 16 * 1024 * 1024
"""Bytes of one file."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(txt|csv)\Z")
_LINE: Final = re.compile(r"\r\n|\r|\n")


def _digest(texts: PackList) -> str:
    return hashlib.sha256("\0".join(texts.values).encode("utf-8", "surrogatepass")).hexdigest()


@frozen(slots=True)
class PackList:
    """One list of a pack: its values sorted, each once. Where they were read from is no content.

    It is compared by its digest, so a condition that looks in 100,000 values is as quick to tell
    from another as any.
    """

    name: str
    values: tuple[str, ...] = field(eq=False, repr=False)
    summary: str = ""
    digest: str = field(init=False)
    _known: frozenset[str] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "digest", _digest(self))
        object.__setattr__(self, "_known", frozenset(self.values))

    def __contains__(self, value: object) -> bool:
        return value in self._known

    def __len__(self) -> int:
        return len(self.values)


def read_lists(tree: Any, folder: Path | None, problems: Problems) -> tuple[PackList, ...]:
    """The table ``lists`` of a pack, with the values of its files.

    Args:
        folder: where the pack lies; None where it is no file, so that it names its values itself.
    """
    if not isinstance(tree, Mapping) or len(tree) > MOST_LISTS:
        problems.add(f"a table of at most {MOST_LISTS} lists", "lists")
        return ()
    found = []
    for name, row in sorted(tree.items()):
        place = f"list {name[:64]}"
        if not _NAME.match(name):
            problems.add("a list's name is lower case letters, digits and '_'", place)
        if not isinstance(row, Mapping):
            problems.add('is written { file = "islands.txt" }', place)
            continue
        for key in row:
            if key not in ("file", "column", "values", "summary"):
                keys = ("file", "column", "summary")
                problems.add(f"no such key{suggestion(str(key), keys)}", f"{place}, {key}")
        summary = row.get("summary", "")
        if type(summary) is not str or len(summary) > LONGEST_TEXT:
            problems.add(f"text of at most {LONGEST_TEXT:,} characters", f"{place}, summary")
            summary = ""
        try:
            values = _values(row, folder)
        except ValueError as error:
            problems.add(str(error), place)
            continue
        found.append(PackList(name, tuple(sorted(set(values))), summary))
    return tuple(found)


def _values(row: Mapping[str, Any], folder: Path | None) -> list[str]:
    """The values of one list.

    Raises:
        ValueError: there are too many, or the file cannot be read; says where in it.
    """
    if "values" in row:
        values = row["values"]
        if "file" in row or not isinstance(values, list | tuple):
            raise ValueError("has either a file, or values: a list of texts")
        numbered = list(enumerate(values, 1))
    else:
        numbered = list(_of_file(row, folder))
    if len(numbered) > MOST_LISTED:
        raise ValueError(f"{len(numbered):,} values; a list has at most {MOST_LISTED:,}")
    for number, value in numbered:
        if type(value) is not str:
            raise ValueError(f"value {number:,}: {shown(value)} is not text")
        if len(value) > LONGEST_TEXT:
            raise ValueError(
                f"line {number:,}: {len(value):,} characters; a value has at most {LONGEST_TEXT:,}"
            )
    return [value for _, value in numbered]


def _of_file(row: Mapping[str, Any], folder: Path | None) -> Iterator[tuple[int, str]]:
    name, column = row.get("file"), row.get("column", "")
    if type(name) is not str or not _FILE.match(name):
        raise ValueError(
            f"file = {shown(name)}: the name of a .txt or .csv file that lies beside the pack,"
            " without a folder"
        )
    if folder is None:
        raise ValueError(f"file = {shown(name)}: a pack that is no file has no files beside it")
    if type(column) is not str or bool(column) != name.endswith(".csv"):
        raise ValueError("a .csv file has its 'column' named, a .txt file has none")
    text = _text(folder, name)
    if not column:
        lines = ((at, line.strip()) for at, line in enumerate(_LINE.split(text), 1))
        yield from ((at, line) for at, line in lines if line)
        return
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [each.strip() for each in next(rows, [])]
        if head.count(column) != 1:
            hint = suggestion(column, head) or f"; it has {listed(head)}"
            raise ValueError(f"{name} has no column {shown(column)}, or has it twice{hint}")
        at = head.index(column)
        for cells in rows:
            if at < len(cells) and cells[at].strip():
                yield rows.line_num, cells[at].strip()
    except csv.Error as error:
        raise ValueError(f"{name}, line {rows.line_num}: {error}") from None


def _text(folder: Path, name: str) -> str:
    """The text of a file in the pack's own folder.

    Raises:
        ValueError: it is not there, leads elsewhere, is too large, or is no text.
    """
    file = folder / name
    try:
        if file.resolve().parent != folder.resolve():
            raise ValueError(f"{name} leads out of the pack's folder")
        if not file.is_file():
            raise ValueError(f"there is no file {name} beside the pack")
        with file.open("rb") as opened:
            body = opened.read(LARGEST_LIST + 1)
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "it leads to itself"
        raise ValueError(f"{name} cannot be read: {why}") from None
    if len(body) > LARGEST_LIST:
        raise ValueError(f"{name} has more than {LARGEST_LIST:,} bytes")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}, line {line}: is not UTF-8 text") from None
    if "\0" in text:
        raise ValueError(f"{name} holds a null character")
    return text
