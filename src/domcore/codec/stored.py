"""How nouns are kept as JSON. Every stored body begins with the number of its format.

msgspec reads straight into the attrs classes and checks every type on the way; bytes are equal
where values are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from domcore.errors import StoreError, StoreReason
from domcore.model.item import Item
from domcore.model.network import Network
from domcore.model.order import Order, Person
from domcore.model.package import Package

FORMAT: Final = 1
"""The format written today, and the only one there has been."""

T = TypeVar("T")

_encode: Final = msgspec.json.Encoder().encode


class Body(Generic[T]):
    """Writes and reads one kind of body."""

    __slots__ = ("_decode", "_encode", "_head", "_kind")

    def __init__(self, kind: type[T]) -> None:
        self._kind: Final = kind
        self._head: Final = b'{"format":%d,' % FORMAT
        self._encode: Final = msgspec.json.Encoder().encode
        self._decode: Final = msgspec.json.Decoder(kind).decode

    def dump(self, value: T) -> bytes:
        """JSON bytes; equal values give equal bytes."""
        return self._head + self._encode(value)[1:]

    def load(self, body: bytes) -> T:
        """Read what `dump` wrote.

        Raises:
            StoreError: another format, or damaged. The content is not repeated: it may be personal.
        """
        if not body.startswith(self._head):
            raise StoreError(
                f"a stored {self._kind.__name__} is not in format {FORMAT}: "
                "it was written by a newer domcore, or is damaged",
                reason=StoreReason.NEWER,
            )
        try:
            return self._decode(body)
        except msgspec.MsgspecError:
            raise StoreError(
                f"a stored {self._kind.__name__} is damaged; run `domcore verify`",
                reason=StoreReason.DAMAGED,
            ) from None


_UNTOLD: Final = (b'"shipping":null,', b'"shipping_discount":null,', b'"shipping_tax":null,')
_ALL_UNTOLD: Final = b"".join(_UNTOLD)
"""Amounts that nobody told. Quotes inside texts are escaped, so these stand for nothing but the
fields."""


_LINE: Final = b'{"attributes":'
"""How a line begins, and nothing else in an order."""

_UNTOLD_LINE: Final = b'{"discount":null,"tax":null,"attributes":'
_UNTOLD_ORDER: Final = _ALL_UNTOLD + b'"total":null,'


class OrderBody(Body[Order]):
    """An order without amounts is written as before there were any: the same bytes and digest."""

    __slots__ = ()

    def load(self, body: bytes) -> Order:
        """Read what `dump` wrote.

        To read that an amount is null costs a tenth of reading nothing about it, so what most
        orders leave out is put in front; an amount that is told stands behind that, and counts.
        """
        head = self._head
        if body.startswith(head):
            told = body[len(head) :].replace(_LINE, _UNTOLD_LINE)
            body = b"".join((head, _UNTOLD_ORDER, told))
        return super().load(body)

    def dump(self, value: Order) -> bytes:
        """JSON bytes; equal values give equal bytes."""
        body = self._head + self._encode(value)[1:]
        body = body.replace(b'"discount":null,', b"").replace(b',"tax":null', b"")
        if value.total is None:
            body = body.replace(b',"total":null', b"", 1)
        if value.shipping is value.shipping_discount is value.shipping_tax is None:
            return body.replace(_ALL_UNTOLD, b"", 1)
        for untold in _UNTOLD:
            body = body.replace(untold, b"", 1)
        return body


class PersonBody(Body[Person]):
    """Likewise for a person without words for whom it goes to."""

    __slots__ = ()

    def dump(self, value: Person) -> bytes:
        """JSON bytes; equal values give equal bytes."""
        body = super().dump(value)
        return body.replace(b'"gift_message":"",', b"").replace(b'"instructions":"",', b"")


class Bodies:
    """One reader and writer for each kind of body. Cheap to build; safe to share by threads."""

    __slots__ = ("item", "network", "order", "package", "person")

    def __init__(self) -> None:
        self.order: Final = OrderBody(Order)
        self.item: Final = Body(Item)
        self.network: Final = Body(Network)
        self.person: Final = PersonBody(Person)
        self.package: Final = Body(Package)


def dump_event(values: Mapping[str, Any]) -> bytes:
    """An event's body: JSON values by name, with the format in front."""
    return _encode({"format": FORMAT, **values})


def load_event(body: bytes) -> dict[str, Any]:
    """Read an event's body.

    Raises:
        StoreError: it is not a JSON object.
    """
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise StoreError(
            "a stored event is damaged; run `domcore verify`", reason=StoreReason.DAMAGED
        ) from None


def dump_any(value: object) -> bytes:
    """JSON bytes of anything made of our nouns, for content digests."""
    return msgspec.json.encode(value)
