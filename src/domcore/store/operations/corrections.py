"""What a person says of an order instead of its channel: kept, and put on every later revision.

A correction remembers what the channel had told when it was made. It stands while the channel tells
the same; of a line also while the channel comes nearer to what was said, one edit after the other.
When the channel tells something else it knows better, and the correction is over. An address is one
thing: who tells a part of it anew tells all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from attrs import evolve, fields

from domcore.codec.stored import Bodies
from domcore.model.order import Order, OrderLine, Person
from domcore.model.place import Destination
from domcore.store.backend import Reader
from domcore.store.changes import Changes
from domcore.store.correction_rows import DESTINATION, LINE, CorrectionRow
from domcore.store.rows import PersonRow

ADDRESS: Final = ("street", "city", "region", "postal", "country")
"""The fields of a person that are one address, together with the order's destination."""

_decode_place: Final = msgspec.json.Decoder(Destination | None).decode
_decode_units: Final = msgspec.json.Decoder(int).decode
_encode: Final = msgspec.json.Encoder().encode


class Corrections:
    """What persons have said of one order; changes are written by `write`."""

    def __init__(self, reader: Reader, order_id: int) -> None:
        rows = map(CorrectionRow._make, reader.select("correction", "order_id", [order_id]))
        self._order_id: Final = order_id
        self._before: Final = {row.subject: row for row in rows}
        self._rows: Final = dict(self._before)
        self.over: Final[list[str]] = []
        """Subjects of which the channel has told something else since."""

    def __bool__(self) -> bool:
        return bool(self._before)

    def write(self, changes: Changes) -> None:
        """Write down what is new, and what is over."""
        for subject, row in sorted(self._rows.items()):
            if row != self._before.get(subject):
                changes.add("corrections", row)
        for subject in sorted(self._before.keys() - self._rows.keys()):
            changes.add("forget_corrections", (self._order_id, subject))

    # --- a person speaks ------------------------------------------------------------------------

    def say_units(self, line: OrderLine, units: int, at: int, by: str) -> None:
        """A person wants so many units of a line, which is as the order has it now."""
        known = self._rows.get(LINE + line.id)
        told = line.quantity if known is None else _decode_units(known.told)
        self._say(LINE + line.id, told, units, at, by)

    def say_place(self, now: Destination | None, said: Destination, at: int, by: str) -> None:
        """A person says where the order goes, which is `now` as the order has it."""
        known = self._rows.get(DESTINATION)
        told = now if known is None else _decode_place(known.told)
        self._say(DESTINATION, told, said, at, by)

    def _say(self, subject: str, told: object, said: object, at: int, by: str) -> None:
        if told == said:
            self._rows.pop(subject, None)
        else:
            row = CorrectionRow(self._order_id, subject, _encode(told), _encode(said), at, by)
            self._rows[subject] = row

    # --- the channel speaks ---------------------------------------------------------------------

    def amended(self, order: Order, *, address_told: bool) -> Order:
        """A later whole revision, with what still stands of what was said.

        Args:
            address_told: the channel tells another address than it did when that was corrected.
        """
        lines = tuple(self._line(line) for line in order.lines)
        place = self._rows.get(DESTINATION)
        if place is not None:
            said = _decode_place(place.said)
            if address_told or self.place_is_told(order):
                self._end(DESTINATION, told=order.destination != said)
            else:
                order = evolve(order, destination=said)
        return order if lines == order.lines else evolve(order, lines=lines)

    def place_is_told(self, order: Order) -> bool:
        """Whether the channel tells another destination than the one that was corrected."""
        place = self._rows.get(DESTINATION)
        return place is not None and _decode_place(place.told) != order.destination

    def _line(self, line: OrderLine) -> OrderLine:
        row = self._rows.get(LINE + line.id)
        if row is None:
            return line
        told, said = _decode_units(row.told), _decode_units(row.said)
        if not min(told, said) <= line.quantity <= max(told, said) or line.quantity == said:
            self._end(row.subject, told=line.quantity != said)
            return line
        self._rows[row.subject] = row._replace(told=_encode(line.quantity))
        return line.wanting(said)

    def taken_off(self, taken: Mapping[str, int]) -> dict[str, int]:
        """Units that an edit or refund takes off the lines as they stand: what a person has taken
        off already is not taken off twice."""
        found = dict(taken)
        for line_id, units in taken.items():
            row = self._rows.get(LINE + line_id)
            if row is None or not units:
                continue
            told, said = _decode_units(row.told), _decode_units(row.said)
            left = max(0, told - units)
            after = min(said, left) if said < told else max(0, said - min(units, told))
            found[line_id] = said - after
            if after == left:
                self._rows.pop(row.subject)
            else:
                self._rows[row.subject] = row._replace(told=_encode(left), said=_encode(after))
        return found

    def _end(self, subject: str, *, told: bool = True) -> None:
        self._rows.pop(subject)
        if told:
            self.over.append(subject)


class Known(NamedTuple):
    """A person as an order has it, and as the channel has told it, where that is another."""

    person: Person | None
    told: Person | None


def known_person(reader: Reader, bodies: Bodies, order_id: int) -> Known:
    """The person of an order."""
    rows = [PersonRow._make(row) for row in reader.select("person", "order_id", [order_id])]
    if not rows:
        return Known(None, None)
    told = bodies.person.load(rows[0].told) if rows[0].told else None
    return Known(bodies.person.load(rows[0].body), told)


def person_row(bodies: Bodies, order_id: int, person: Person, told: Person | None) -> PersonRow:
    """The row of a person, and of what the channel has told where a person has corrected it."""
    kept = b"" if told is None or told == person else bodies.person.dump(told)
    return PersonRow(order_id, bodies.person.dump(person), kept)


def address_of(person: Person | None) -> tuple[object, ...]:
    """What of a person is its address."""
    return tuple(getattr(person or Person(), name) for name in ADDRESS)


def merged_person(known: Known, coming: Person, *, place_told: bool) -> Person:
    """What a channel tells of a person now, with what still stands of what was said.

    Args:
        place_told: the channel tells another destination than it did when that was corrected.
    """
    if known.told is None or known.person is None:
        return coming
    moved = place_told or address_of(coming) != address_of(known.told)
    stands: dict[str, Any] = {}
    for each in fields(Person):
        if each.name in ADDRESS and moved:
            continue
        if getattr(coming, each.name) == getattr(known.told, each.name):
            stands[each.name] = getattr(known.person, each.name)
    return evolve(coming, **stands)


def read_correction(row: CorrectionRow) -> tuple[object, object]:
    """What was told and what is said.

    Raises:
        ValueError: the row cannot be read.
    """
    try:
        if row.subject == DESTINATION:
            return _decode_place(row.told), _decode_place(row.said)
        return _decode_units(row.told), _decode_units(row.said)
    except msgspec.MsgspecError:
        raise ValueError("a correction cannot be read") from None


def merge_revision(
    reader: Reader, bodies: Bodies, changes: Changes, order_id: int, order: Order,
    coming: Person | None,
) -> tuple[Order, Person | None, list[str]]:  # fmt: skip
    """A later whole revision and its person, with what still stands of what persons have said.

    What is over, and the person, are written down.

    Returns:
        The order, its person (None: the one that is known), and the subjects that are over.
    """
    corrections = Corrections(reader, order_id)
    known = Known(None, None) if coming is None else known_person(reader, bodies, order_id)
    address_told = known.told is not None and address_of(coming) != address_of(known.told)
    place_told = corrections.place_is_told(order)
    if corrections:
        order = corrections.amended(order, address_told=address_told)
        corrections.write(changes)
    if coming is None:
        return order, None, corrections.over
    person = merged_person(known, coming, place_told=place_told)
    told = None if known.told is None else coming
    changes.add("persons", person_row(bodies, order_id, person, told))
    return order, person, corrections.over
