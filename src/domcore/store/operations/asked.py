"""Holds that channels and persons ask for: they stand whatever revision comes later.

What was asked for is kept by order and code (`AskedHoldRow`), and may come before its order. Of two
words about one code that of the later revision counts. Of two of one revision the lifting one does,
and of two that hold the one at `route`, then the one whose reason sorts last; so they may come
twice, late and in any order, and end alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from domcore.codec.text import is_text
from domcore.errors import PayloadError, Problem
from domcore.model.command import ApproveOrder, HoldOrder
from domcore.model.policy import HOLD_STAGES, Hold
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.hold_rows import LIFTED, STANDING, WAIVED, AskedHoldRow
from domcore.store.operations.typed import typed

LONGEST_CODE: Final = 100
LONGEST_REASON: Final = 1_000

NOT_QUEUED: Final = Hold("not-queued", "the channel has taken it out of its queue", "release")
"""What a revision without `queue` places on an order that nodes have work of."""

Identity = tuple[int, str, str]
"""(owner id, channel, external id)"""


class Asked:
    """Everything asked for of one order, while a command says more about it."""

    def __init__(self, identity: Identity, rows: Iterable[AskedHoldRow], now: int, by: str) -> None:
        """Args: by: who says more."""
        self._owner_id, self._channel, self._external_id = identity
        self._by: Final = by
        self._before: Final = {row.code: row for row in rows}
        self._now: Final = now
        self.rows: Final = dict(self._before)

    def hold(self, hold: Hold, revision: int, *, whole: bool = False) -> bool:
        """Ask for a hold; whether that is news."""
        known = self.rows.get(hold.code)
        if known is not None and not _is_newer(known, hold, revision):
            return False
        if known is not None and whole and not known.whole and known.state == STANDING:
            return False  # it was asked for by itself, and must be lifted by itself
        waived = known is not None and known.state == WAIVED and whole
        row = AskedHoldRow(
            self._external_id, self._channel, self._owner_id, hold.code, revision,
            WAIVED if waived else STANDING, int(whole), hold.stage, hold.reason,
            self._now, self._by,
        )  # fmt: skip
        if known is not None and known.state == row.state:
            row = row._replace(at=known.at)
        self.rows[hold.code] = row
        return row != known

    def lift(self, code: str, revision: int) -> bool:
        """Take a hold back, also one that has not been asked for yet; whether that is news."""
        known = self.rows.get(code)
        if known is None:
            known = AskedHoldRow(
                self._external_id, self._channel, self._owner_id, code, revision,
                LIFTED, 0, "release", "", self._now, self._by,
            )  # fmt: skip
        elif known.revision > revision or (known.revision == revision and known.state == LIFTED):
            return False
        self.rows[code] = self._over(known, revision)
        return True

    def _over(self, row: AskedHoldRow, revision: int) -> AskedHoldRow:
        """The same whatever was held before, so that a hold that comes late changes nothing."""
        return row._replace(
            revision=revision, state=LIFTED, whole=0, stage="release", reason="",
            at=self._now, by=self._by,
        )  # fmt: skip

    def waive(self, codes: Collection[str]) -> None:
        """A person approves the order in spite of these holds."""
        for code in codes:
            known = self.rows.get(code)
            if known is not None and known.state == STANDING:
                self.rows[code] = known._replace(state=WAIVED, at=self._now, by=self._by)

    def tell_whole(self, holds: Sequence[Hold], revision: int) -> None:
        """A whole order says by which holds it stands; those that an earlier one told are over."""
        told = {hold.code for hold in holds}
        for code, row in list(self.rows.items()):
            if row.whole and row.state != LIFTED and code not in told and row.revision <= revision:
                self.rows[code] = self._over(row, revision)
        for hold in holds:
            self.hold(hold, revision, whole=True)

    def tell_again(self, holds: Sequence[Hold], revision: int) -> None:
        """The same revision comes again: shops that tell whole seconds send an order as it was
        before and after it was paid under one time. What one of the two does not tell is over."""
        told = {hold.code for hold in holds}
        for code, row in list(self.rows.items()):
            if row.whole and row.state != LIFTED and row.revision == revision and code not in told:
                self.rows[code] = self._over(row, revision)
        for hold in holds:
            known = self.rows.get(hold.code)
            if known is not None and known.whole and known.revision == revision:
                self.hold(hold, revision, whole=True)

    @property
    def standing(self) -> list[AskedHoldRow]:
        """What stands now, by code."""
        return [row for _, row in sorted(self.rows.items()) if row.state == STANDING]

    def changed(self) -> tuple[list[AskedHoldRow], list[AskedHoldRow]]:
        """Holds that stand now and did not before, and those that do not any more."""
        codes = sorted(self.rows)
        was = {code for code, row in self._before.items() if row.state == STANDING}
        placed = [self.rows[code] for code in codes if self._stands(code) and code not in was]
        lifted = [
            self._before[code]._replace(by=self.rows[code].by)
            for code in codes
            if not self._stands(code) and code in was
        ]
        return placed, lifted

    def reworded(self) -> list[AskedHoldRow]:
        """Holds that stand as before, with another stage or reason."""
        return [
            row
            for code, row in sorted(self.rows.items())
            if code in self._before
            and row.state == self._before[code].state == STANDING
            and (row.stage, row.reason) != (self._before[code].stage, self._before[code].reason)
        ]

    def _stands(self, code: str) -> bool:
        return self.rows[code].state == STANDING

    def write(self, changes: Changes) -> None:
        """Write down what is new."""
        for code, row in sorted(self.rows.items()):
            if row != self._before.get(code):
                changes.add("asked_holds", row)


def _is_newer(known: AskedHoldRow, hold: Hold, revision: int) -> bool:
    """Whether a hold at `revision` says more than what is known of its code."""
    if known.revision != revision:
        return known.revision < revision
    told = (known.stage, known.reason)
    return known.state == STANDING and told < (hold.stage, hold.reason)


def asked_of(reader: Reader, identity: Identity, now: int, by: str) -> Asked:
    """What has been asked for of one order."""
    rows = map(AskedHoldRow._make, reader.select("asked_hold", "external_id", [identity[2]]))
    mine = [row for row in rows if (row.owner_id, row.channel) == identity[:2]]
    return Asked(identity, mine, now, by)


def check_holds(holds: object) -> None:
    """Refuse holds that cannot be stored or told.

    Raises:
        PayloadError: each bad field.
    """
    if type(holds) is not tuple:
        raise PayloadError("this order cannot be taken in", [Problem("$.holds", "must be a tuple")])
    problems: list[Problem] = []
    for number, hold in enumerate(holds):
        path = f"$.holds[{number}]"
        if not isinstance(hold, Hold):
            problems.append(Problem(path, "must be a Hold"))
            continue
        problems += hold_problems(path, hold.code, hold.reason, hold.stage)
    if problems:
        raise PayloadError("this order cannot be taken in", problems)


def hold_problems(path: str, code: object, reason: object, stage: object) -> list[Problem]:
    """What is wrong with a hold."""
    problems = []
    named = is_text(code) and isinstance(code, str) and code.isprintable() and code.strip() == code
    if not (named and isinstance(code, str) and 1 <= len(code) <= LONGEST_CODE) or "/" in code:
        message = f"must be 1 to {LONGEST_CODE} characters without a slash, such as unpaid"
        problems.append(Problem(f"{path}.code", message))
    if not (is_text(reason) and isinstance(reason, str) and len(reason) <= LONGEST_REASON):
        message = f"must be text of at most {LONGEST_REASON} characters"
        problems.append(Problem(f"{path}.reason", message))
    if stage not in HOLD_STAGES:
        problems.append(Problem(f"{path}.stage", f"must be one of {', '.join(HOLD_STAGES)}"))
    return problems


def checked_word(command: HoldOrder | ApproveOrder) -> HoldOrder | ApproveOrder:
    """The command with each field of its type.

    Raises:
        PayloadError: every bad field.
    """
    holds = isinstance(command, HoldOrder)
    what = f"this {'hold' if holds else 'approval'}"
    command = typed(command, HoldOrder, what) if holds else typed(command, ApproveOrder, what)
    stage = command.stage if isinstance(command, HoldOrder) else "release"
    problems = hold_problems("$", command.code, command.reason, stage)
    if command.revision is not None:
        problems += revision_problems(command.revision)
    if not command.external_id:
        problems.append(Problem("$.external_id", "must say which order"))
    if problems:
        raise PayloadError(f"{what} cannot be taken in", problems)
    return command


def revision_problems(revision: int) -> list[Problem]:
    """What is wrong with a revision: versions and microseconds both fit 63 bits."""
    if type(revision) is int and 0 <= revision < 2**63:
        return []
    return [Problem("$.revision", "must be a whole number from 0 to 2^63 - 1")]
