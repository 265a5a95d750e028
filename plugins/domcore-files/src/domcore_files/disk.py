"""Everything that is done to the disk, in steps that a crash cannot tear.

A file appears under its name whole or not at all: written beside it, flushed, renamed. Links are
never followed, and a name comes from a key, never from what a partner wrote.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from domcore.errors import ConnectorError

PRIVATE: Final = 0o600
SHARED: Final = 0o644
_LONGEST_NAME: Final = 150
_FLAGS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}", re.ASCII)


class Unreadable(Exception):  # noqa: N818 - reads as the outcome it names
    """A file that will not be taken, and why."""


class Content(NamedTuple):
    """A file as it was read."""

    body: bytes
    written_at: float


class Disk:
    """One folder and its subfolders.

    Args:
        root: the folder. It is never made here: a share that is not mounted must not be mistaken
            for an empty one.
        calls: the functions of `os`.
    """

    def __init__(self, root: Path, calls: Any = os) -> None:
        self.root = root
        self._os = calls

    def __repr__(self) -> str:
        return f"Disk({str(self.root)!r})"

    @contextmanager
    def reached(self, *, unknown: bool = False) -> Iterator[None]:
        """Turn what the system says into a `ConnectorError`."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConnectorError(f"{self.root}: {reason}", unknown=unknown) from None

    def prepare(self, *folders: str) -> None:
        """Make sure of the folder and its subfolders.

        Raises:
            ConnectorError: the folder is not there, or a subfolder is a link or a file.
        """
        try:
            mode = self._os.stat(self.root).st_mode
        except FileNotFoundError:
            raise ConnectorError(
                f"{self.root}: there is no such folder; make it, or mount it"
            ) from None
        if not stat.S_ISDIR(mode):
            raise ConnectorError(f"{self.root}: is no folder")
        for name in folders:
            path = self.root / name
            try:
                mode = self._os.lstat(path).st_mode
            except FileNotFoundError:
                self._os.mkdir(path, 0o770)
                continue
            if not stat.S_ISDIR(mode):
                raise ConnectorError(f"{path}: must be a folder, not a link or a file")

    def names(self, folder: str) -> list[str]:
        """What lies in a subfolder, in the order of names."""
        return sorted(self._os.listdir(self.root / folder))

    def look(self, folder: str, name: str) -> os.stat_result | None:
        """What is there under a name, not following links; None when nothing is."""
        try:
            found: os.stat_result = self._os.lstat(self.root / folder / name)
        except FileNotFoundError:
            return None
        return found

    def read(self, folder: str, name: str, most: int) -> Content:
        """A file's content.

        Raises:
            Unreadable: it is a link, no file at all, or too large.
        """
        path = self.root / folder / name
        if not stat.S_ISREG(self._os.lstat(path).st_mode):
            raise Unreadable("is a link or something else that is no file; put the file itself in")
        try:
            handle = self._os.open(path, os.O_RDONLY | _FLAGS | _NO_WAIT)
        except PermissionError:
            raise Unreadable("may not be read by the user that domcore runs as") from None
        try:
            found = self._os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise Unreadable("is no file")
            if found.st_size > most:
                raise Unreadable(f"is larger than {most} bytes")
            # At one go, so that it is not there twice.
            body = self._os.read(handle, found.st_size + 1)
            while part := self._os.read(handle, 1024 * 1024):
                body += part
                if len(body) > most:
                    break
            if len(body) > most:
                raise Unreadable(f"is larger than {most} bytes")
        finally:
            self._os.close(handle)
        return Content(body, found.st_mtime)

    def forget(self, folder: str, name: str) -> None:
        """Delete what need not stay deleted after a power cut."""
        self._remove(self.root / folder / name)

    def note(self, folder: str, name: str, body: bytes) -> None:
        """Write a few bytes that need not outlive a power cut."""
        path = self.root / folder / name
        handle = self._os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _FLAGS, PRIVATE)
        try:
            self._os.write(handle, body)
        finally:
            self._os.close(handle)

    def write(self, folder: str, name: str, body: bytes, mode: int = PRIVATE) -> None:
        """Put a file there, whole; what has that name is replaced."""
        draft = self.draft(folder, name, body, mode)
        self.publish(draft, folder, name)

    def draft(self, folder: str, name: str, body: bytes, mode: int = PRIVATE) -> Path:
        """Write a file beside the name that it is to have, and flush it. Nobody takes it yet."""
        path = self.root / folder / draft_of(name)
        self._remove(path)
        handle = self._os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, mode)
        try:
            view = memoryview(body)
            while view:
                view = view[self._os.write(handle, view) :]
            self._os.fsync(handle)
        finally:
            self._os.close(handle)
        self._flush(folder)
        return path

    def publish(self, draft: Path, folder: str, name: str) -> None:
        """Give a draft its name."""
        self._os.replace(draft, self.root / folder / name)
        self._flush(folder)

    def move(self, folder: str, name: str, to: str, new_name: str = "") -> None:
        """Move a file to another subfolder; links are moved, not followed."""
        self._os.replace(self.root / folder / name, self.root / to / (new_name or name))
        self._flush(to)
        self._flush(folder)

    def remove(self, folder: str, name: str) -> None:
        """Delete a file; one that has gone already is no matter."""
        self._remove(self.root / folder / name)
        self._flush(folder)

    def _remove(self, path: Path) -> None:
        try:
            self._os.unlink(path)
        except FileNotFoundError:
            return

    def _flush(self, folder: str) -> None:
        """Have the disk remember the names in a folder."""
        if os.name == "nt":  # folders cannot be flushed there
            return
        handle = self._os.open(self.root / folder, os.O_RDONLY | _FLAGS)
        try:
            self._os.fsync(handle)
        finally:
            self._os.close(handle)


def name_of(key: str) -> str:
    """The file name of a key, without a suffix: one line of ASCII, no path, one name per key."""
    # Without a dot of its own, what stands behind a dot is never part of a key.
    name = quote(key, safe="", errors="surrogatepass").replace(".", "%2E")
    if len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        name = f"{name[:_LONGEST_NAME]}.{digest}"
    return name


def draft_of(name: str) -> str:
    """What a file is called until it has its name."""
    return f".{name}.tmp"


def is_plain(name: str) -> bool:
    """Whether a name is one that `plain_name` may have made: no path, nothing hidden."""
    return _PLAIN.fullmatch(name) is not None


def plain_name(name: str) -> str:
    """Somebody else's file name, without anything that a path, a log or a database minds."""
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    clean = _UNSAFE.sub("_", stem)[:100].lstrip(".") or "file"
    return f"{clean}{dot}{_UNSAFE.sub('_', suffix)[:10]}"
