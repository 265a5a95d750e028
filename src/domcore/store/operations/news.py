"""What all the news of one piece of work says together: a pure function of the set of notices.

Notices come late, twice and in any order. So none of them is applied by itself: each is kept, and
what is true is worked out from all of them anew. What the notices say of units, line by line:

* units that a notice or a box names have left; those it names as rejected or cancelled have not;
* a notice that names nothing is about all that is left: it gives way to those that name units;
* goods that have left have left: that they were rejected or cancelled, too, does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from attrs import evolve, frozen

from domcore.errors import ConflictError
from domcore.model.handover import BLOCKING_REASONS
from domcore.model.package import Package
from domcore.store.operations.contents import content_of

ARRIVED: Final = ("delivered", "returned")
LEFT: Final = ("partially_shipped", "shipped", *ARRIVED)
"""Statuses that say that goods have left their node."""
REFUSED: Final = ("rejected", "cancelled")
"""Statuses that say that goods will not leave."""

Units = dict[int, int]
"""Units by line number."""

Names = Mapping[str, Sequence[int]]
"""Line numbers by line id or SKU."""


@frozen(slots=True)
class Claim:
    """One notice as it is kept, in the body of its event.

    `boxes` are as it told them. `whole`: it names no units, so it is about all that is left.
    `unasked`: a node cancels what nobody asked it to stop, which is a refusal.
    """

    status: str
    at: int
    lines: tuple[tuple[str, int], ...] = ()
    boxes: tuple[Package, ...] = ()
    whole: bool = False
    reason: str = ""
    reference: str = ""
    vendor_status: str = ""
    detail: str = ""
    unasked: bool = False

    @property
    def is_refusal(self) -> bool:
        """Whether the node will not do it, rather than stopping because it was asked to."""
        return self.status == "rejected" or self.unasked

    @property
    def kind(self) -> str:
        """What becomes of units it refuses: ``blocked``, ``rejected`` or ``cancelled``."""
        if not self.is_refusal:
            return "cancelled"
        return "blocked" if self.reason in BLOCKING_REASONS else "rejected"


class Share(NamedTuple):
    """What has become of a line's units at its node; the rest is still to ship."""

    shipped: int = 0
    blocked: int = 0
    rejected: int = 0
    cancelled: int = 0

    @property
    def freed(self) -> int:
        """Units that were given back and may be somewhere."""
        return self.rejected + self.cancelled

    @property
    def refused(self) -> int:
        """Units that the node has rejected."""
        return self.blocked + self.rejected


def to_ship(given: int, share: Share) -> int:
    """Units of a line that are still to leave."""
    return max(0, given - share.shipped) - share.blocked - share.freed


def heard(claims: Sequence[Claim], *, told: bool) -> tuple[Claim, ...]:
    """The notices as they are meant, all of them together. A node without a connector (not `told`)
    is asked to stop by people, who may say so with a notice ``cancel_requested``, before its
    answer or after: then it did not cancel by itself."""
    asked = not told and any(claim.status == "cancel_requested" for claim in claims)
    return tuple(evolve(each, unasked=False) if asked and each.unasked else each for each in claims)


KINDS: Final = ("blocked", "rejected", "cancelled")
"""The fields of `Share` for units that do not ship, the most telling first."""


class Demand:
    """Deals units that are called by line id or SKU to lines, never more than there is room for.

    Line ids go first, so that the order in which things are told does not matter.
    """

    def __init__(self, names: Names) -> None:
        self._names: Final = names
        self._wanted: dict[str, int] = {}

    def add(self, lines: Iterable[tuple[str, int]]) -> None:
        """Ask for more. What is no line of the work any more is passed over."""
        for name, units in lines:
            if name not in self._names:
                continue
            self._wanted[name] = self._wanted.get(name, 0) + units

    def deal(self, *rooms: Units) -> tuple[Units, str]:
        """Units by line; the first rooms are filled first. Also a name that found too little."""
        dealt: Units = {}
        short = ""
        by_id = [name for name in sorted(self._wanted) if len(self._names[name]) == 1]
        by_sku = [name for name in sorted(self._wanted) if len(self._names[name]) != 1]
        for name in (*by_id, *by_sku):
            left = self._wanted[name]
            for room in rooms:
                for number in self._names[name]:
                    units = min(left, max(0, room.get(number, 0) - dealt.get(number, 0)))
                    if units:
                        dealt[number] = dealt.get(number, 0) + units
                        left -= units
            if left:
                short = name
        return dealt, short


def shares(
    claims: Sequence[Claim],
    boxes: Mapping[str, Package],
    given: Units,
    ever: Units,
    names: Names,
) -> dict[int, Share]:
    """What has become of each line.

    Args:
        boxes: by name, as `boxes_of` folds them.
        given: the units that the node was given and that were not taken back from it.
        ever: those that were taken back, too: goods may have left before the node heard of it.

    Raises:
        ConflictError: more units have left, or will not, than there ever were.
    """
    left = _left(claims, boxes, given, ever, names)
    refused = _refused(claims, given, ever, left, names)
    gone = sum(units for part in refused.values() for units in part.values())
    whole = any(_is_open(claim, boxes) for claim in claims if claim.status in LEFT)
    if whole:
        if gone and gone == sum(given.values()):
            refused = {kind: {} for kind in KINDS}
        base = given if any(given.values()) else ever
        for number, units in base.items():
            rest = units - sum(part.get(number, 0) for part in refused.values())
            left[number] = max(left.get(number, 0), rest)
    else:
        words = {claim.kind for claim in claims if claim.status in REFUSED and claim.whole}
        kind = next((kind for kind in KINDS if kind in words), "")
        for number, units in given.items() if kind else ():
            rest = units - left.get(number, 0)
            rest -= sum(part.get(number, 0) for part in refused.values())
            refused[kind][number] = refused[kind].get(number, 0) + max(0, rest)
    return {
        number: Share(left.get(number, 0), *(refused[kind].get(number, 0) for kind in KINDS))
        for number in ever
    }


def _left(
    claims: Sequence[Claim], boxes: Mapping[str, Package], given: Units, ever: Units, names: Names
) -> Units:
    """Units that notices and boxes name as having left."""
    sent, arrived = Demand(names), {status: Demand(names) for status in ARRIVED}
    for box in boxes.values():
        sent.add(box.lines)
    for claim in claims:
        if claim.status in LEFT and not claim.boxes:
            arrived.get(claim.status, sent).add(claim.lines)
    left, short = sent.deal(given, ever)
    most = left
    for demand in arrived.values():  # What was delivered may come back: the same units.
        there, missing = demand.deal(left, given, ever)
        short = short or missing
        most = {number: max(most.get(number, 0), there.get(number, 0)) for number in ever}
    if short:
        raise ConflictError(f"more units of {short!r} have left than it ever had")
    return {number: most.get(number, 0) for number in ever}


def _refused(
    claims: Sequence[Claim], given: Units, ever: Units, left: Units, names: Names
) -> dict[str, Units]:
    """Units that notices name as not leaving, less those that have left all the same."""
    everything = Demand(names)
    parts = {kind: Demand(names) for kind in KINDS}
    for claim in claims:
        if claim.status in REFUSED:
            everything.add(claim.lines)
            parts[claim.kind].add(claim.lines)
    _, short = everything.deal(given, ever)
    if short:
        raise ConflictError(f"more units of {short!r} are refused than it ever had")
    room = {number: units - left.get(number, 0) for number, units in given.items()}
    found: dict[str, Units] = {}
    for kind in KINDS:
        found[kind], _ = parts[kind].deal(room)
        room = {number: units - found[kind].get(number, 0) for number, units in room.items()}
    return found


def _is_open(claim: Claim, boxes: Mapping[str, Package]) -> bool:
    """Whether a notice that goods have left is about all that is left: it names no units, and of
    its boxes, if it told any, not every one is known by now."""
    if not claim.whole or claim.status == "partially_shipped":
        return False
    return not claim.boxes or any(not boxes[box.id].lines for box in claim.boxes)


def boxes_of(claims: Sequence[Claim], names: Names) -> dict[str, Package]:
    """The boxes by name, each as all notices tell of it together: it holds of each line the most
    that any of them tells, of two words the later counts, and what is delivered stays delivered."""
    told: dict[str, list[tuple[int, Claim, Package]]] = {}
    for claim in claims:
        for box in claim.boxes:
            told.setdefault(box.id, []).append((claim.at, claim, box))
    return {name: _folded(name, told[name], names) for name in sorted(told)}


def _folded(name: str, told: list[tuple[int, Claim, Package]], names: Names) -> Package:
    def last(word: str) -> Any:
        found = [(at, getattr(box, word)) for at, _, box in told if getattr(box, word)]
        return max(found)[1] if found else ""

    states = [(at, _STATES.index(box_status(claim, box))) for at, claim, box in told]
    state = _STATES[max(states)[1]]
    if any(number == _STATES.index("delivered") for _, number in states):
        state = "delivered"
    shipped = [box.shipped_at for _, _, box in told if box.shipped_at is not None]
    delivered = [box.delivered_at for _, _, box in told if box.delivered_at is not None]
    return Package(
        name,
        content_of((box.lines for _, _, box in told if box.lines), names),
        last("carrier"),
        last("tracking"),
        last("url"),
        state,
        min(shipped) if shipped else None,
        min(delivered) if delivered else None,
    )


_STATES: Final = ("shipped", "exception", "delivered")
"""What a box may be, by rising weight where two notices are of the same time."""


def box_status(claim: Claim, box: Package) -> str:
    """What a notice says of one of its boxes: its own word for it, or that of the whole notice."""
    if box.status == "delivered" or claim.status in ARRIVED:
        return "delivered"
    return "exception" if "exception" in (box.status, claim.status) else "shipped"


# --- the status -----------------------------------------------------------------------------------

_UNDER_WAY: Final = ("accepted", "in_progress", *LEFT)
"""Statuses that say that work goes on: a later one ends an exception or a vendor's hold."""


def status_of(
    known: str,
    claims: Sequence[Claim],
    boxes: Mapping[str, Package],
    given: Units,
    found: Mapping[int, Share],
) -> str:
    """The status of the work: what has become of its units, and before that the furthest it got.

    Args:
        known: its status before the news, which may be our own word for it.
    """
    shipped = sum(share.shipped for share in found.values())
    if not any(to_ship(given.get(number, 0), share) for number, share in found.items()):
        if not shipped:
            refused = any(share.refused for share in found.values())
            rejected = refused and any(claim.status == "rejected" for claim in claims)
            return "rejected" if rejected else "cancelled"
        return _after_leaving(claims, boxes, found)
    if known == "cancel_requested" or any(c.status == "cancel_requested" for c in claims):
        return "cancel_requested"
    last = _last(claims, _UNDER_WAY)
    if _last(claims, ("exception",)) >= max(last, 0):
        return "exception"
    if shipped:
        return "partially_shipped"
    said = {claim.status for claim in claims}
    if _last(claims, ("on_hold",)) >= max(last, 0):
        return "on_hold"
    if said & {"in_progress", *LEFT}:
        return "in_progress"
    if said & {"accepted", *REFUSED, "exception"}:
        return "accepted"
    return known if known in ("requested", "on_hold") else "accepted"


def _last(claims: Iterable[Claim], statuses: Sequence[str]) -> int:
    """When the last news of one of these statuses happened; -1 where there is none."""
    return max((claim.at for claim in claims if claim.status in statuses), default=-1)


def _after_leaving(
    claims: Sequence[Claim], boxes: Mapping[str, Package], found: Mapping[int, Share]
) -> str:
    """All of it has left or will not leave: where is it now?"""
    for status in ("returned", "delivered"):
        if any(c.status == status and c.whole and not c.boxes for c in claims):
            return status
    if boxes and all(box.status == "delivered" for box in boxes.values()):
        back = any(c.status == "returned" for c in claims)
        return "returned" if back else "delivered"
    for status in ("returned", "delivered"):
        units = sum(n for c in claims if c.status == status and not c.boxes for _, n in c.lines)
        if units and units >= sum(share.shipped for share in found.values()):
            return status
    return "exception" if _last(claims, ("exception",)) > _last(claims, _UNDER_WAY) else "shipped"
