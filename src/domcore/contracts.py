"""What plugins hand over: the shapes of the objects behind the registering hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from domcore.model import Command, Destination, Envelope, Point


@runtime_checkable
class Channel(Protocol):
    """A place that orders come from.

    `name` is the channel's name in the project file; two shops of one kind are two channels.
    """

    name: str

    def receive(self, envelope: Envelope) -> Sequence[Command]:
        """Read one delivery. Pure: no store, no network, no clock.

        Raises:
            SignatureError: it is not signed by anyone we know.
            PayloadError: it cannot be read; every bad field with its path.
        """
        ...


@runtime_checkable
class Geocoder(Protocol):
    """Says where a postal code lies."""

    name: str

    def locate(self, destination: Destination) -> Point | None:
        """The centre of the destination's postal area, or None to leave it to the next one."""
        ...
