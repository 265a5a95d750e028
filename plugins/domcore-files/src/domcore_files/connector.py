"""A node that exchanges files: work goes out, news of it and of its shelves comes in."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Final, TypeAlias

from domcore.loading.problems import Problems
from domcore.model import Envelope, Handover, Notice, ObserveStock, Polled, Receipt
from domcore_files.disk import PRIVATE, SHARED, Disk, draft_of, name_of
from domcore_files.inbox import Inbox
from domcore_files.notices import NOTICE, message_of, notices
from domcore_files.options import ConnectorOptions, check_delivery
from domcore_files.parts import Delivered, PartReader, Seen, read_whole
from domcore_files.stock import counted_at, keys_of, observations, split
from domcore_files.tables import Row
from domcore_files.work import CANCEL_COLUMNS, WORK_COLUMNS, cancel_rows, file_of, work_rows

Told: TypeAlias = Notice | ObserveStock
"""What a node tells."""

OUT: Final = "out"
TAKEN: Final = "taken"
SENT: Final = "sent"
NOTHING: Final = "there is not one notice and not one count in it"

DRAFTED: Final = ".drafted"
RELEASED: Final = ".released"
STOPPED: Final = ".cancel"
WITHDRAWN: Final = ".withdrawn"
CHANGING: Final = ".changing"

STOP: Final = ".stop"
"""What the wish to stop is called after its work, behind which it stands in the order of names."""


class FilesConnector:
    """One node's folder, or that of several nodes of one partner.

    ``sent`` holds an empty mark for each key. It is set as drafted when the file's draft lies in
    ``out`` and before the file appears there, and as released after. A mark without its draft is
    of a file that has appeared: so one that the partner has deleted is still known, and one that
    never appeared is not taken for one that was.

    Work is taken by whoever moves its file out of ``out``: the partner, or a cancellation. Only
    one of the two can, so what was taken back is certainly not begun.
    """

    certain_after = 0

    def __init__(
        self,
        name: str,
        options: ConnectorOptions,
        disk: Disk,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._options = options
        self._disk = disk
        self._mode = PRIVATE if options.private else SHARED
        self._parts: PartReader[Told] = PartReader(
            self._make,
            _group_of,
            nothing=NOTHING,
            refuse=options.bad_rows == "refuse",
            plain=options.csv_plain,
        )
        self._inbox: Inbox[Told] = Inbox(
            disk,
            self._parts.read,
            settle_seconds=options.settle_seconds,
            most_bytes=options.most_bytes,
            keep=options.keep,
            clock=clock,
        )

    def __repr__(self) -> str:
        return f"FilesConnector(name={self.name!r})"

    def trouble(self) -> list[str]:
        """A folder that is not there, files that were set aside."""
        return self._inbox.trouble()

    def release(self, handover: Handover) -> Receipt:
        """Put the work into ``out``; the same key is the same file, so twice is once.

        Raises:
            ConnectorError: the folder cannot be reached; `unknown` when the file may be there.
        """
        name = name_of(handover.key)
        with self._disk.reached():
            self._disk.prepare(OUT, TAKEN, SENT)
            found = self._seen(name)
            if found is not None:
                return found
            rows = work_rows(handover, self._options.format)
            if not rows:
                return Receipt("rejected", reason="other", detail="there is nothing to ship in it")
            body = file_of(WORK_COLUMNS, rows, self._options.format, plain=self._options.csv_plain)
            self._disk.remove(SENT, f"{name}{DRAFTED}")
            draft = self._disk.draft(OUT, self._file(name), body, self._mode)
            self._disk.write(SENT, f"{name}{DRAFTED}", b"", self._mode)
        with self._disk.reached(unknown=True):
            self._disk.publish(draft, OUT, self._file(name))
            self._settle(name)
        return self._receipt("requested", name)

    def cancel(self, handover: Handover) -> Receipt:
        """Take the work's file back, if the partner has not taken it; else put the wish to stop
        into ``out``, and the partner's word comes as news.

        Raises:
            ConnectorError: the folder cannot be reached.
        """
        name = name_of(handover.key)
        with self._disk.reached():
            self._disk.prepare(OUT, TAKEN, SENT)
            found = self._seen(name)
            if found is None:
                return Receipt("unknown_here")
            if found.status == "requested" and self._options.withdraw and self._withdraw(name):
                found = self._receipt("cancelled", name)
            if found.status in ("cancelled", "cancel_requested"):
                return found
            body = file_of(
                CANCEL_COLUMNS,
                cancel_rows(handover),
                self._options.format,
                plain=self._options.csv_plain,
            )
            self._disk.write(OUT, self._file(f"{name}{STOP}"), body, self._mode)
            self._disk.write(SENT, f"{name}{STOPPED}", b"", self._mode)
        return self._receipt("cancel_requested", name)

    def change(self, handover: Handover) -> Receipt:
        """Put other work in the place of the file in ``out``; ``rejected`` where the partner has
        taken that.

        The new file is drafted, then the old one moved away, so that a partner that takes files
        meanwhile has one of them, and once. A mark with its draft is of a file that is still to
        appear.

        Raises:
            ConnectorError: the folder cannot be reached.
        """
        name = name_of(handover.key)
        with self._disk.reached():
            self._disk.prepare(OUT, TAKEN, SENT)
            resumed = self._finish_change(name)
            found = self._seen(name)
            if found is None:
                return Receipt("unknown_here")
            if found.status != "requested" or not self._options.withdraw:
                return found if resumed else Receipt("rejected", detail="its file has been taken")
            rows = work_rows(handover, self._options.format)
            body = file_of(WORK_COLUMNS, rows, self._options.format, plain=self._options.csv_plain)
            draft = self._disk.draft(OUT, self._file(name), body, self._mode)
            if not self._withdraw(name, CHANGING):
                self._disk.remove(OUT, draft_of(self._file(name)))
                return Receipt("rejected", detail="its file has been taken")
            self._disk.publish(draft, OUT, self._file(name))
            self._disk.remove(SENT, f"{name}{CHANGING}")
        return self._receipt("requested", name)

    def _finish_change(self, name: str) -> bool:
        """Go on where a change was cut short; whether one was."""
        if self._disk.look(SENT, f"{name}{CHANGING}") is None:
            return False
        draft = draft_of(self._file(name))
        if self._disk.look(OUT, draft) is not None:
            self._disk.move(OUT, draft, OUT, self._file(name))
        self._disk.remove(SENT, f"{name}{CHANGING}")
        return True

    def _withdraw(self, name: str, mark: str = WITHDRAWN) -> bool:
        """Move the work's file away, which the partner can then take no more; false when it has."""
        try:
            self._disk.move(OUT, self._file(name), SENT, f"{name}{mark}")
        except FileNotFoundError:
            return False
        self._empty_withdrawn(name, mark)
        return True

    def _empty_withdrawn(self, name: str, mark: str = WITHDRAWN) -> None:
        """Of what was taken back only the mark stays, for the file says who the customer is."""
        self._disk.write(SENT, f"{name}{mark}", b"", self._mode)

    def reconcile(self, handover: Handover) -> Receipt:
        """Look for the work: in ``out``, in ``taken``, among what was sent or taken back.

        Raises:
            ConnectorError: the folder cannot be reached.
        """
        with self._disk.reached():
            self._disk.prepare(OUT, TAKEN, SENT)
            found = self._seen(name_of(handover.key))
        return found if found is not None else Receipt("unknown_here")

    def poll(self, cursor: str) -> Polled:
        """The next file in ``in``; the cursor that comes back puts it away.

        Raises:
            ConnectorError: the folder cannot be reached.
        """
        page = self._inbox.take(cursor)
        return Polled(page.items, page.cursor, page.more)

    def receive(self, envelope: Envelope) -> tuple[Told, ...]:
        """Read a file of news, or of stock, that came some other way.

        Raises:
            SignatureError: that is not switched on (``deliveries``).
            PayloadError: it cannot be read; every bad row with its line and column.
        """
        check_delivery(envelope, self.name, self._options)
        return read_whole(
            self._make, _group_of, self.name, envelope.body, self._options.csv_plain, NOTHING
        )

    def _seen(self, name: str) -> Receipt | None:
        """How far the work is, and a mark that it has appeared, if a crash left none."""
        self._finish_change(name)
        found = self._found(name)
        if found is not None:
            self._settle(name)
        return found

    def _found(self, name: str) -> Receipt | None:
        """How far the work is. ``out`` is looked at first: files go from there to ``taken``."""
        withdrawn = self._disk.look(SENT, f"{name}{WITHDRAWN}")
        if withdrawn is not None:
            if withdrawn.st_size:
                self._empty_withdrawn(name)
            return self._receipt("cancelled", name)
        if self._disk.look(SENT, f"{name}{STOPPED}") is not None:
            return self._receipt("cancel_requested", name)
        if self._disk.look(OUT, self._file(name)) is not None:
            return self._receipt("requested", name)
        for mark, folder in ((self._file(name), TAKEN), (f"{name}{RELEASED}", SENT)):
            if self._disk.look(folder, mark) is not None:
                return self._receipt("accepted", name)
        drafted = self._disk.look(SENT, f"{name}{DRAFTED}") is not None
        if drafted and self._disk.look(OUT, draft_of(self._file(name))) is None:
            return self._receipt("accepted", name)
        return None

    def _settle(self, name: str) -> None:
        """Remember that the file has appeared."""
        if self._disk.look(SENT, f"{name}{DRAFTED}") is not None:
            self._disk.move(SENT, f"{name}{DRAFTED}", SENT, f"{name}{RELEASED}")

    def _receipt(self, status: str, name: str) -> Receipt:
        return Receipt(status, reference=self._file(name))

    def _file(self, name: str) -> str:
        return f"{name}.{self._options.format}"

    def _make(
        self, file: Delivered, format: str, rows: Iterable[Row], problems: Problems, seen: Seen
    ) -> Iterator[Told]:
        """What some rows of a file say."""
        news, stock, part = split(rows, format, file.name, problems, "key", NOTICE)
        yield from notices(
            news,
            name=file.name,
            problems=problems,
            statuses=self._options.statuses,
            reasons=self._options.reasons,
        )
        yield from observations(
            stock,
            name=file.name,
            owner=self._options.owner,
            problems=problems,
            part=part,
            seen=seen,
            **keys_of(file),
        )


def _group_of(format: str, row: Row) -> Hashable | None:
    """The message that a row is part of, or what it counts.

    Raises:
        LookupError: the row is too short to tell.
    """
    return message_of(format, row) if "key" in row.values else counted_at(row)
