"""Bringing the units of one fulfillment order to where its news says they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from domcore.model.package import Package
from domcore.store.operations.news import Claim, Names, Share, Units, shares
from domcore.store.operations.order_work import OrderWork, Resolution
from domcore.store.operations.shelves import Shelves
from domcore.store.rows import FREED, OPEN, SHIPPED, ReservationRow

Key = tuple[int, int]


class Settling:
    """Moves what the news says has moved and the books do not know yet.

    Args:
        done: units that earlier notices moved, by ``(line number, shipped | freed | blocked)``.

    `whole_at` and `refused_at` are when the last earlier news of goods leaving, or not leaving,
    happened: what they moved is moved back at the same time.
    """

    def __init__(
        self,
        work: OrderWork,
        key: Key,
        done: Mapping[tuple[int, str], int],
        shelves: Shelves,
        names: Names,
        now: int,
    ) -> None:
        self.done: dict[tuple[int, str], int] = {}
        self.regained: Units = {}
        """Units by line that have left although they had been given back."""
        self.taken_over = 0
        """How many of them other nodes had been given."""
        self.asked: set[Key] = set()
        self.whole_at = 0
        self.refused_at = 0
        self._work: Final = work
        self._key: Final = key
        self._shelves: Final = shelves
        self._names: Final = names
        self._now: Final = now
        self._blocked = {n: units for (n, word), units in done.items() if word == "blocked"}
        given_back = {n: units for (n, word), units in done.items() if word == "freed"}
        self.given: Final[Units] = {}
        """Units that the node was given, less those that we took back from it."""
        self.ever: Final[Units] = {}
        for row in self._rows(OPEN, SHIPPED, FREED):
            number = row.line_no
            self.ever[number] = self.ever.get(number, 0) + row.quantity
            taken = row.quantity if row.state == FREED else 0
            self.given[number] = self.given.get(number, 0) + row.quantity - taken
        for number in self.given:
            self.given[number] += given_back.get(number, 0) + self._blocked.get(number, 0)

    @property
    def is_of_other_goods(self) -> bool:
        """Whether every line was changed to another item after the work was taken back."""
        return not self.ever

    def target(self, claims: Sequence[Claim], boxes: Mapping[str, Package]) -> dict[int, Share]:
        """What has become of each line, by the news. Raises: ConflictError."""
        return shares(claims, boxes, self.given, self.ever, self._names)

    def settle(self, claims: Sequence[Claim], boxes: Mapping[str, Package], at: int) -> None:
        """Do what is not done yet; it happened at `at`."""
        found = self.target(claims, boxes)
        for number, share in found.items():
            self._give_back(number, share)
        for number, share in found.items():
            self._take_forward(number, share, at)

    # --- one line -------------------------------------------------------------------------------

    def _rows(self, *states: int, number: int | None = None) -> list[ReservationRow]:
        return [
            row
            for row in self._work.reservations_of(self._key)
            if row.state in states
            and number in (None, row.line_no)
            and row.item_id == self._work.lines[row.line_no].item_id
        ]

    def _units(self, number: int, state: int) -> int:
        return sum(row.quantity for row in self._rows(state, number=number))

    def _note(self, number: int, word: str, units: int) -> None:
        total = self.done.get((number, word), 0) + units
        self.done[number, word] = total
        if not total:
            del self.done[number, word]

    def _to_free(self, number: int, share: Share) -> int:
        """Units of a line that are neither shipped nor still to ship, in the end."""
        given, ever = self.given[number], self.ever[number]
        to_ship = given - min(share.shipped, given) - share.blocked - share.freed
        return ever - share.shipped - to_ship

    def _give_back(self, number: int, share: Share) -> None:
        """Undo what turned out otherwise: the units are reserved at the node again."""
        excess = self._units(number, SHIPPED) - share.shipped
        if excess > 0:
            self._unship(number, excess)
        excess = self._units(number, FREED) - self._to_free(number, share)
        if excess > 0:
            self._regain(number, excess, share)

    def _unship(self, number: int, units: int) -> None:
        self._note(number, "shipped", -units)
        for row in self._rows(SHIPPED, number=number)[::-1]:
            some = min(units, row.quantity)
            if some:
                counted = self._shelves.counted((row.item_id, row.node_id), self.whole_at)
                self._work.reopen(row, some, at=self.whole_at, counted=counted)
                units -= some
                self._bind(number, shipped=-some)

    def _bind(self, number: int, **moved: int) -> None:
        """Move units of the line between its buckets; what is left over comes to allocated."""
        line = self._work.lines[number]
        changed = {name: getattr(line, name) + units for name, units in moved.items()}
        allocated = line.allocated - sum(moved.values())
        self._work.lines[number] = line._replace(allocated=allocated, **changed)

    def _regain(self, number: int, units: int, share: Share) -> None:
        """Goods that had been given back have left: reserve them at the node again, where they
        then ship, and find as many units that nobody else ships."""
        self.regained[number] = self.regained.get(number, 0) + units
        self._find(number, units)
        while units:
            row = self._rows(FREED, number=number)[-1]
            lost = max(0, self._blocked.get(number, 0) - share.blocked)
            some = min(units, row.quantity, lost or units)
            self._note(number, "blocked" if lost else "freed", -some)
            if lost:
                self._blocked[number] -= some
            held = bool(lost) and self._shelves.blocked(row, self.refused_at) >= some
            self._work.reopen(row, some, at=self._now, blocked=held)
            units -= some

    def _find(self, number: int, units: int) -> None:
        """Take units of the line out of its other buckets: open ones, those that other nodes have
        not been told of, cancelled ones; what other nodes work on is asked back, and until they
        answer the line holds more than was ordered."""
        units -= self._take(number, "open", units)
        if units:
            freed = self._take_over(number, units)
            self.taken_over += freed
            units -= self._take(number, "open", freed)
        units -= self._take(number, "cancelled", units)
        if units:
            line = self._work.lines[number]
            self._work.lines[number] = line._replace(
                ordered=line.ordered + units, allocated=line.allocated + units
            )
            self._ask_others(number, units)

    def _take(self, number: int, bucket: Literal["open", "cancelled"], most: int) -> int:
        line = self._work.lines[number]
        units = min(most, line.open if bucket == "open" else line.cancelled)
        self._bind(number, **{bucket: -units})
        return units

    def _take_over(self, number: int, most: int) -> int:
        """Free what other decisions reserved for the line and no node was told, youngest first."""
        freed = 0
        for row in self._others(number):
            units = min(row.quantity, most - freed)
            if units and not self._work.handed_over(row):
                self._work.resolve(row, units, "freed", at=self._now)
                freed += units
        return freed

    def _others(self, number: int) -> list[ReservationRow]:
        return [
            row
            for row in self._work.open_reservations()
            if row.line_no == number and (row.sequence, row.node_id) != self._key
        ]

    def _ask_others(self, number: int, units: int) -> None:
        for row in self._others(number):
            if units > 0 and self._work.handed_over(row):
                self.asked.add((row.sequence, row.node_id))
                self.taken_over += min(units, row.quantity)
                units -= row.quantity

    def _take_forward(self, number: int, share: Share, at: int) -> None:
        """Do what the news says and has not been done."""
        self._resolve(number, "shipped", share.shipped - self._units(number, SHIPPED), at)
        more = self._to_free(number, share) - self._units(number, FREED)
        lost = share.blocked - self._blocked.get(number, 0)
        blocked = max(0, min(more, lost))
        self._resolve(number, "blocked", blocked, at)
        self._resolve(number, "freed", more - blocked, at)
        lost = share.blocked - self._blocked.get(number, 0)
        if lost:
            self._reblock(number, lost, at)

    def _resolve(self, number: int, how: Resolution, units: int, at: int) -> None:
        if units <= 0:
            return
        self._note(number, how, units)
        if how == "blocked":
            self._blocked[number] = self._blocked.get(number, 0) + units
        for row in self._rows(OPEN, number=number):
            some = min(units, row.quantity)
            if some:
                counted = how != "freed" and self._shelves.counted((row.item_id, row.node_id), at)
                self._work.resolve(row, some, how, at=at, counted=counted)
                units -= some
        assert not units

    def _reblock(self, number: int, lost: int, at: int) -> None:
        """Freed units turn out to be lost, or the other way round; no bucket changes."""
        self._note(number, "blocked", lost)
        self._note(number, "freed", -lost)
        self._blocked[number] = self._blocked.get(number, 0) + lost
        row = self._rows(FREED, number=number)[0]
        if lost > 0 and not self._shelves.counted((row.item_id, row.node_id), at):
            self._work.reblock(row, lost, at=at, blocked=True)
        elif lost < 0 and self._shelves.blocked(row, self.refused_at) >= -lost:
            self._work.reblock(row, -lost, at=at, blocked=False)
