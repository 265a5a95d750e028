"""What a person changes of an order by hand, with the effect shown before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, overload

from attrs import evolve

from domcore.codec.text import is_text
from domcore.errors import ConfigurationError, NotFound, PayloadError, Problem
from domcore.model import AmendOrder, Destination, Order, Person, Point, postal_prefix
from domcore.model.correction import CorrectOrder, MoveWork, RerouteOrder
from domcore.store.operations.notices import split_id
from domcore.store.protocol import OrderView, Outcome
from domcore.telemetry import traced
from domcore.verbs.decisions import DecisionVerbs
from domcore.verbs.orders import OrderVerbs

if TYPE_CHECKING:
    from domcore.redoing import Effect

MOST_TEXT: Final = 255
"""Characters of a name or of a line of an address."""

MOST_STREETS: Final = 5

_PLACE: Final = ("country", "region", "postal")


class CorrectingVerbs(OrderVerbs, DecisionVerbs):
    """What people do on a bad day.

    Each shows its `Effect` with `dry_run` and changes nothing; without, it does what it would have
    shown. What was decided before is decided anew in the same transaction, unless the order is
    held, has not been routed yet, or older orders wait for the same.
    """

    @overload
    def amend(self, /, order: AmendOrder, *, by: str = "") -> Outcome: ...

    @overload
    def amend(
        self,
        /,
        order: str,
        lines: Mapping[str, int] | None = None,
        *,
        change: Mapping[str, int] | None = None,
        reason: str = "",
        key: str = "",
        dry_run: bool = False,
        by: str = "",
    ) -> Effect: ...

    @traced
    def amend(
        self,
        order: AmendOrder | str,
        lines: Mapping[str, int] | None = None,
        *,
        change: Mapping[str, int] | None = None,
        reason: str = "",
        key: str = "",
        dry_run: bool = False,
        by: str = "",
    ) -> Outcome | Effect:
        """Change how much an order wants: a channel's edit or refund (`AmendOrder`), which tells
        only a difference; or a person's word on an order, by its reference.

        What a person says of a line stands, whatever revision comes later, until the channel tells
        another quantity of that line than it did, and no nearer one.

        Args:
            lines: units wanted by line id, or by a SKU that is on one line only.
            change: units to add, or below zero to take off, likewise.
            reason: why, for people. No names, please.
            key: makes it safe to repeat.
            dry_run: only show the effect.

        Raises:
            NotFound, ConflictError: no such order, or several; it is cancelled; or the name or key
                came with other content.
            PayloadError: an unknown line, a quantity out of range, fewer than have left; nothing
                was changed.
        """
        if isinstance(order, AmendOrder):
            with self.acting(by):
                return self._intake.amend(order)
        view = self.order(order)
        told, more = _by_line(view.order, lines or {}), _by_line(view.order, change or {})
        owner, channel, external_id = view.order.key
        command = CorrectOrder(owner, channel, external_id, told, more, reason=reason, key=key)
        return self._correct(view, command, dry_run=dry_run, by=by)

    @traced
    def address(
        self,
        order: str,
        *,
        name: str | None = None,
        company: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        street: Sequence[str] | None = None,
        city: str | None = None,
        region: str | None = None,
        postal: str | None = None,
        country: str | None = None,
        instructions: str | None = None,
        at: tuple[float | str, float | str] | None = None,
        reason: str = "",
        key: str = "",
        dry_run: bool = False,
        by: str = "",
    ) -> Effect:
        """Correct whom an order goes to, and where; what is not given stays.

        Nodes that have the work are told, or asked to stop where country, region, postal code or
        place change. What is said stands until the channel tells another address (name, telephone
        number ...) than it did.

        Args:
            at: where it is, in degrees of latitude and longitude, for an address that no geocoder
                can place. It is rounded to a hundredth of a degree.
            dry_run: only show the effect.

        Raises:
            NotFound, ConflictError: no such order, or several; it is cancelled.
            PayloadError: nothing is given, a field is no text that can be kept, or no country.
        """
        given = {
            "name": name, "company": company, "email": email, "phone": phone, "city": city,
            "region": region, "postal": postal, "country": country, "instructions": instructions,
        }  # fmt: skip
        texts = {field: text for field, text in given.items() if text is not None}
        streets = None if street is None else _checked_streets(street)
        _check_texts(texts)
        if not texts and streets is None and at is None:
            raise _refused("$", "say what is to be corrected, such as its postal code")
        view = self.order(order)
        person = _corrected_person(view, texts, streets)
        place = self._corrected_place(view.order.destination, view.person, texts, at)
        owner, channel, external_id = view.order.key
        command = CorrectOrder(
            owner,
            channel,
            external_id,
            destination=place,
            person=person,
            revision=view.order.revision,
            reason=reason,
            key=key,
        )
        return self._correct(view, command, dry_run=dry_run, by=by)

    @traced
    def move(
        self, work: str, *, to: str = "", away: bool = False, reason: str = "", key: str = "",
        dry_run: bool = False, by: str = "",
    ) -> Effect:  # fmt: skip
        """Have another node ship what a fulfillment order has left.

        Work that nobody has begun is planned anew at once; a node that has it is asked to stop, and
        it is planned anew once it has. A node that a line was given to is the only one that is
        asked for it, until it rejects it or is closed.

        Args:
            work: the fulfillment order, ``order-sequence-node``.
            to: the node that is to ship it; or `away`: any but the one that has it.
            dry_run: only show the effect.

        Raises:
            NotFound: no such fulfillment order.
            ConfigurationError: neither or both of `to` and `away`.
            PayloadError: the node is not there, closed, or has it already.
            ConflictError: it is over; the node has rejected a line of it, or cannot ship all of it.
        """
        if bool(to) == away:
            raise ConfigurationError("say the node it is to go to, or away", place="to")
        command = MoveWork(work, to, reason, key)
        order_id = split_id(work)[0]
        try:
            before = self.store.order(order_id)
        except NotFound:
            raise NotFound(f"there is no fulfillment order {work[:100]!r}") from None
        return self._redone(
            before,
            lambda: self.store.move(command, now=self._micros()),
            dry_run=dry_run,
            by=by,
            whole=to,
        )

    @traced
    def reroute(
        self, order: str, *, reason: str = "", key: str = "", dry_run: bool = False, by: str = ""
    ) -> Effect:
        """Decide anew what nobody has begun of an order, as stock and rules stand now.

        Raises:
            NotFound, ConflictError: no such order, or several; it is cancelled, held before
                routing, or a cart.
        """
        view = self.order(order)
        owner, channel, external_id = view.order.key
        command = RerouteOrder(owner, channel, external_id, reason, key)
        return self._redone(
            view, lambda: self.store.reroute(command, now=self._micros()), dry_run=dry_run, by=by
        )

    # --- how ------------------------------------------------------------------------------------

    def _correct(self, view: OrderView, command: CorrectOrder, *, dry_run: bool, by: str) -> Effect:
        return self._redone(
            view,
            lambda: self.store.correct_order(command, now=self._micros()),
            dry_run=dry_run,
            by=by,
        )

    def _redone(
        self,
        view: OrderView,
        act: Callable[[], Outcome],
        *,
        dry_run: bool,
        by: str,
        whole: str = "",
    ) -> Effect:
        from domcore.redoing import Redoing  # only people need it

        self._kit.currency(view.order.owner)
        with self.acting(by):
            redoing = Redoing(self._kit, self._errand())
            return redoing.redo(view.summary.order_id, act, dry_run=dry_run, whole=whole)

    def _corrected_place(
        self,
        known: Destination | None,
        person: Person | None,
        texts: Mapping[str, str],
        at: tuple[float | str, float | str] | None,
    ) -> Destination | None:
        """Where the order goes now; None where nothing of that changes."""
        said = {field: texts[field].strip() for field in _PLACE if field in texts}
        if not said and at is None:
            return None
        was = known or Destination(person.country if person else "")
        if "country" in said:
            said["country"] = said["country"].upper()
        place = evolve(was, **said, point=None)
        if len(place.country) != 2 or not place.country.isalpha() or not place.country.isascii():
            raise _refused("$.country", "must be two letters, such as US")
        digits = self.settings.postal_digits
        if digits:
            place = evolve(place, postal=postal_prefix(place.postal, digits))
        if at is not None:
            place = evolve(place, point=_point(at))
        elif known is not None and place == evolve(known, point=None):
            return None
        return place


def _corrected_person(
    view: OrderView, texts: Mapping[str, str], streets: tuple[str, ...] | None
) -> Person | None:
    """The person as it is said to be; None where nothing of that changes."""
    if not texts and streets is None:
        return None
    said: dict[str, Any] = {name: text.strip() for name, text in texts.items()}
    person = evolve(view.person or Person(), **said)
    if streets is not None:
        person = evolve(person, street=streets)
    return person


def _by_line(order: Order, wanted: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Units by line id, of lines that are called by their id or SKU."""
    ids = {line.id for line in order.lines}
    found = []
    for name, units in wanted.items():
        if type(units) is not int:
            raise _refused("$.lines", "units must be whole numbers")
        if name in ids:
            found.append((name, units))
            continue
        lines = [line.id for line in order.lines if line.sku == name and line.ships]
        if len(lines) != 1:
            what = "stands on several lines: name the line by its id" if lines else "is no line"
            there = ", ".join(f"{line.id} ({line.sku})" for line in order.lines[:10])
            raise _refused("$.lines", f"{name[:100]!r} {what}; there are {there}")
        found.append((lines[0], units))
    return tuple(found)


def _check_texts(texts: Mapping[str, str]) -> None:
    problems = [
        Problem(f"$.{name}", f"must be at most {MOST_TEXT} printable characters on one line")
        for name, text in texts.items()
        if not (is_text(text) and len(text) <= MOST_TEXT and text.isprintable())
    ]
    if problems:
        raise PayloadError("this address cannot be kept", problems)


def _checked_streets(street: Sequence[str]) -> tuple[str, ...]:
    lines = (street,) if isinstance(street, str) else tuple(street)
    if len(lines) > MOST_STREETS:
        raise _refused("$.street", f"must be at most {MOST_STREETS} lines")
    _check_texts({f"street[{number}]": line for number, line in enumerate(lines)})
    kept = tuple(line.strip() for line in lines if line.strip())
    if not kept:
        raise _refused("$.street", "is empty")
    return kept


def _point(at: tuple[float | str, float | str]) -> Point:
    try:
        point = Point.from_degrees(*at)
    except (TypeError, ValueError, OverflowError):
        raise _refused("$.at", "must be degrees of latitude and longitude") from None
    return Point(_rounded(point.lat), _rounded(point.lon))


def _rounded(millionths: int) -> int:
    """To a hundredth of a degree: planning sees no more."""
    return round(millionths / 10_000) * 10_000


def _refused(path: str, message: str) -> PayloadError:
    return PayloadError("this cannot be corrected", [Problem(path, message)])
