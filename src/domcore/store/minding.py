"""What a store must do about trouble that a person must look at.

Part of `domcore.store.protocol.Store`; the same conventions hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from domcore.store.values import Parked, Trouble


class Minding(Protocol):
    """The operations behind `Domcore.settle`, and part of those behind `Domcore.exceptions`."""

    def troubles(self, order_id: int) -> list[Trouble]:
        """What a person must look at, or has, of one order, in the order in which it came.

        A node that tells ``exception`` or ``on_hold`` raises it, in its own words, as its news all
        together says; so do goods that come back (``returned``) as long as no return of them was
        authorized, goods that left although they should not have, and a revision of a cancelled
        order that queues.
        """
        ...

    def settle_trouble(self, name: str, *, by: str, note: str = "", now: int) -> Trouble:
        """Be done with trouble (``trouble.settled``). `name` is its `id`.

        Raises:
            NotFound: none that stands is called so.
            PayloadError: what is given cannot be kept.
        """
        ...

    def note_rules(self, *, digest: int, told: Mapping[str, object], now: int) -> bool:
        """Tell that other rules are in force (``rules.changed``); False, telling nothing, where
        that was told for this `digest`, below 2^60, last."""
        ...

    def failing(self, *, before: int, limit: int = 1000) -> list[Parked]:
        """What fails again and again since `before` or longer, and is still tried by itself, the
        longest first: tasks (``task/pull:web``), words to nodes and events. `parked_at` is since
        when; of words to nodes it is when they were decided, of events when they happened."""
        ...
