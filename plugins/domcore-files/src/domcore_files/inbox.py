"""Files that come in, each taken at least once, and put away only when it has been taken in.

A file goes ``in`` -> ``working`` -> ``done``. Each step is one rename, so after a crash it lies
in one of the three. It is renamed into ``working`` under a name that no other file ever has; that
name, with a digest of what was read, is the cursor. Only when the core hands this cursor back has
it applied the file for good, and only then is the file put away. A file in ``working`` that the
cursor does not speak of is read again: it was lost on the way, and repeats change nothing.

The name also holds a digest of the cursor before it. So ``done`` is a log that can be read again
from any cursor: when the core comes with an older one, because a person retries something or a
backup was put back, it gets again what came after it.

A large file is taken in parts: the cursor then says at which line the next one begins, and the file
is put away with the last.

A file that cannot be read goes to ``failed``, with the reason beside it, and the core is told of it
by a piece of the next page; where there is no other piece, the cursor says behind a ``+`` how many
there were, and is the same cursor otherwise. Rows that were left out of a good one go to ``failed``
as a file of their own, and are told of likewise.

Before a file is read a mark is set, which goes away when it has been read, well or not: a file that
has ended its reader several times is set aside unread.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Generic, TypeVar

from attrs import frozen

from domcore.errors import ConnectorError, PayloadError
from domcore_files.disk import Disk, Unreadable, is_plain, plain_name
from domcore_files.parts import Delivered, Part
from domcore_files.tables import FORMATS

IN: Final = "in"
WORKING: Final = "working"
DONE: Final = "done"
FAILED: Final = "failed"
FOLDERS: Final = (IN, WORKING, DONE, FAILED)

REASON: Final = ".reason.txt"
READING: Final = ".reading"
MOST_DEATHS: Final = 3
"""Readers that a file may end before it is set aside."""

MOST_FAILURES: Final = 100
"""Bad files put aside in one go, before the rest waits for the next."""

_log = logging.getLogger("domcore_files")

_UNFINISHED: Final = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp")
_AT: Final = "@"
"""Stands in a cursor between a file and the line where the next part begins; in no name of ours."""

_TOLD: Final = "+"
"""Stands in a cursor before how many files were set aside since; in no name and no digest."""

_MARKS: Final = (".", "~", "_")
_OURS: Final = re.compile(r"\.([0-9a-f]{12})[0-9a-f]{12}(?:\.[^.]*)?$")

T = TypeVar("T")


@frozen(slots=True)
class Page(Generic[T]):
    """What one file held, the cursor that acknowledges it, and whether others wait."""

    items: tuple[T, ...]
    cursor: str
    more: bool


class Inbox(Generic[T]):
    """Reads one file at a time.

    Args:
        disk: the folder.
        read: turns a file, or one part of it, into what it holds; a `PayloadError` sets the file
            aside.
        settle_seconds: a file that was written more recently is left alone.
        most_bytes: the largest file taken.
        keep: whether files stay in ``done``.
        clock: seconds since 1970.
        ids: a name that was never given before.
    """

    def __init__(
        self,
        disk: Disk,
        read: Callable[[Delivered], Sequence[T] | Part[T]],
        *,
        settle_seconds: int,
        most_bytes: int,
        keep: bool = True,
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] = lambda: uuid.uuid4().hex[:12],
    ) -> None:
        self._disk = disk
        self._read = read
        self._settle = settle_seconds
        self._most = most_bytes
        self._keep = keep
        self._clock = clock
        self._ids = ids
        self._told: list[PayloadError] = []
        """What is to be said of files that were set aside."""

    def trouble(self) -> list[str]:
        """What a person should look at: a folder that is not there, files that were set aside."""
        try:
            with self._disk.reached():
                self._disk.prepare()
                aside = [name for name in self._disk.names(FAILED) if not name.endswith(REASON)]
        except ConnectorError as error:
            # Before the first file is taken in there is no folder for bad ones yet.
            return [str(error)] if not self._disk.root.is_dir() else []
        if not aside:
            return []
        files = "1 file was" if len(aside) == 1 else f"{len(aside)} files were"
        return [f"{self._disk.root / FAILED}: {files} set aside; the reasons lie beside them"]

    def take(self, cursor: str) -> Page[T]:
        """What the next file holds; `cursor` acknowledges the file that it came with.

        Raises:
            ConnectorError: the folder cannot be reached.
        """
        place, _, many = cursor.partition(_TOLD)
        with self._disk.reached():
            self._disk.prepare(*FOLDERS)
            page, more = self._next(place)
        # Last, so that the others have the same numbers when the page is read again.
        told: tuple[Any, ...] = tuple(self._told)
        self._told = []
        if page is not None:
            return Page((*page.items, *told), page.cursor, page.more)
        if not told:
            return Page((), cursor, more)
        known = int(many) if many.isdecimal() and len(many) < 10 else 0
        return Page(told, f"{place}{_TOLD}{known + len(told)}", more)

    def _next(self, cursor: str) -> tuple[Page[T] | None, bool]:
        """The next page; where there is none, whether others wait all the same."""
        page = self._go_on(cursor)
        if page is not None:
            return page, page.more
        self._acknowledge(cursor)
        before = _mark(cursor)
        page = self._again(before)
        for _ in range(MOST_FAILURES):
            if page is not None:
                return page, page.more
            name = self._claimed(before) or self._claim(before)
            if not name:
                return None, False
            page = self._open(WORKING, name)
        return page, True

    def _again(self, before: str) -> Page[T] | None:
        """What came after this cursor and was put away already."""
        for name in self._disk.names(DONE):
            if _mark_in(name) == before:
                return self._open(DONE, name)
        return None

    def _go_on(self, cursor: str) -> Page[T] | None:
        """The next part of the file that this cursor stands in the middle of. If somebody has
        written on in it since, it is read from its start: repeats change nothing."""
        place, _, _ = cursor.rpartition(":")
        name, middle, line = place.partition(_AT)
        if not (middle and is_plain(name) and line.isdecimal() and len(line) < 10):
            return None
        for folder in (WORKING, DONE):
            if self._disk.look(folder, name) is not None:
                return self._open(folder, name, cursor, int(line))
        return None

    def _acknowledge(self, cursor: str) -> None:
        """Put away the file of this cursor, unless somebody has written on in it since."""
        name, _, digest = cursor.rpartition(":")
        if not is_plain(name) or self._disk.look(WORKING, name) is None:
            return
        try:
            body = self._disk.read(WORKING, name, self._most).body
        except Unreadable:
            return
        if _digest(body) != digest:
            return
        if self._keep:
            self._disk.move(WORKING, name, DONE)
        else:
            self._disk.remove(WORKING, name)

    def _claimed(self, before: str) -> str:
        """A file that was claimed and never acknowledged, as the one after this cursor."""
        names = [each for each in self._disk.names(WORKING) if not each.startswith(".")]
        if not names or _mark_in(names[0]) == before:
            return names[0] if names else ""
        name = self._name(_shown(plain_name(names[0])), before)
        self._disk.move(WORKING, names[0], WORKING, name)
        return name

    def _claim(self, before: str) -> str:
        """Claim the next file that is finished; nothing when there is none."""
        waiting = self._waiting()
        if not waiting:
            return ""
        name = self._name(plain_name(waiting[0]), before)
        self._disk.move(IN, waiting[0], WORKING, name)
        return name

    def _name(self, shown: str, before: str) -> str:
        """A name that no file ever had."""
        stem, dot, suffix = shown.rpartition(".")
        return f"{stem or suffix}.{before}{self._ids()}{dot}{suffix if dot else ''}"

    def _waiting(self) -> list[str]:
        return [name for name in self._disk.names(IN) if self._finished(name)]

    def _finished(self, name: str) -> bool:
        lower = name.lower()
        if name.startswith(_MARKS) or lower.endswith(("~", *_UNFINISHED)):
            return False
        found = self._disk.look(IN, name)
        if found is None or found.st_mode & 0o170000 == 0o040000:
            return False
        return abs(self._clock() - found.st_mtime) >= self._settle

    def _open(self, folder: str, name: str, cursor: str = "", start: int = 0) -> Page[T] | None:
        """Read a file, or on in it; None when it had to be set aside."""
        shown = _shown(name)
        try:
            if f".{name.rpartition('.')[2].lower()}" not in FORMATS:
                raise Unreadable(f"its name must end in one of {', '.join(FORMATS)}")
            with self._survived(name):
                content = self._disk.read(folder, name, self._most)
                digest = _digest(content.body)
                if start and digest != cursor.rpartition(":")[2]:
                    start = 0
                file = Delivered(shown, content.body, digest, content.written_at, start)
                read = self._read(file)
        except Unreadable as error:
            self._set_aside(folder, name, PayloadError(str(error), source=shown))
            return None
        except PayloadError as error:
            self._set_aside(folder, name, error)
            return None
        part = read if isinstance(read, Part) else Part(tuple(read))
        items = part.items
        if part.bad and folder == WORKING and not start:
            items = (*items, self._leave_out(name, part))
        place = f"{name}{_AT}{part.next}" if part.next else name
        more = folder == DONE or bool(part.next) or bool(self._waiting())
        return Page(items, f"{place}:{digest}", more)

    def _leave_out(self, name: str, part: Part[T]) -> Any:
        """Write rows that were left out aside; what is told of it stands among the items, for a
        person to look at."""
        self._disk.write(FAILED, f"{name}{REASON}", f"{part.reasons}\n".encode("utf-8", "replace"))
        self._disk.write(FAILED, name, part.bad)
        _log.warning("%s: rows of %s were left out", self._disk.root / FAILED, name)
        told = part.reasons.partition(":")[2].partition(" were left")[0].partition(" was left")[0]
        return PayloadError(
            f"{told.strip()} left out, and stand in {FAILED}/{name}; the reasons lie beside it",
            source=_shown(name),
            again=False,
        )

    @contextmanager
    def _survived(self, name: str) -> Iterator[None]:
        """Remember that a file is being read, until it has been.

        Raises:
            Unreadable: it has ended too many readers.
        """
        mark = f".{_mark(name)}{READING}"
        deaths = self._deaths(mark)
        if deaths >= MOST_DEATHS:
            self._disk.forget(WORKING, mark)
            raise Unreadable(
                f"whoever read it ended while reading, {deaths} times: perhaps it takes more memory"
                " than there is. Split it, or look at what is in it"
            )
        self._disk.note(WORKING, mark, b"x" * (deaths + 1))
        try:
            yield
        except MemoryError:
            raise
        except Exception:
            self._disk.forget(WORKING, mark)
            raise
        self._disk.forget(WORKING, mark)

    def _deaths(self, mark: str) -> int:
        """How many readers the file has ended: as many as the mark is long."""
        found = self._disk.look(WORKING, mark)
        return found.st_size if found is not None else 0

    def _set_aside(self, folder: str, name: str, error: PayloadError) -> None:
        """The reason first: without it the file would lie there and nobody knew why."""
        lines = [str(error).splitlines()[0], *(f"  {each}" for each in error.problems)]
        reason = "\n".join(lines)
        self._disk.write(FAILED, f"{name}{REASON}", f"{reason}\n".encode("utf-8", "replace"))
        self._disk.move(folder, name, FAILED)
        _log.warning("%s: %s cannot be taken in and was set aside", self._disk.root / FAILED, name)
        self._told.append(
            PayloadError(
                f"was set aside, and stands in {FAILED}/{name}; the reasons lie beside it:"
                f" {error.reason}",
                source=_shown(name),
                again=False,
            )
        )


def _mark(cursor: str) -> str:
    """What names tell of the cursor before them."""
    return hashlib.sha256(cursor.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _mark_in(name: str) -> str:
    """What this name tells; nothing where we did not make it."""
    found = _OURS.search(name)
    return found[1] if found else ""


def _shown(name: str) -> str:
    """The name that people gave it, or nearly."""
    if not _mark_in(name):
        return name
    stem, _, suffix = name.rpartition(".")
    if not stem.rpartition(".")[1]:
        return stem  # it had no suffix
    return f"{stem.rpartition('.')[0]}.{suffix}"


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
