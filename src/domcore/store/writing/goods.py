"""Writing the network, items and stock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from domcore.errors import Problem
from domcore.model.command import ObserveStock
from domcore.model.item import Alias, Item
from domcore.model.network import Network
from domcore.store.changes import Changes
from domcore.store.operations.amendments import NOTHING_KEPT, kept_of
from domcore.store.operations.awaited import AT_ONCE, identify, orders_awaiting
from domcore.store.operations.inbox import remember, seen_before
from domcore.store.operations.network import (
    add_blob,
    alias_changes,
    item_changes,
    replace_network,
)
from domcore.store.operations.observe import Observe, bad_counts, check_types, refusal
from domcore.store.operations.partly import check_any, left_out, with_kept, without
from domcore.store.operations.sending import settle_kept
from domcore.store.operations.typed import digest_of
from domcore.store.operations.unread import keep_unread
from domcore.store.protocol import (
    Outcome,
    StoredNetwork,
)
from domcore.store.rows import OrderRow
from domcore.store.writing.common import Writes, batches


class GoodsWrites(Writes):
    """Network, items, stock, blobs."""

    def save_network(self, network: Network, *, now: int) -> StoredNetwork:
        """See `Store.save_network`."""
        backend, changes = self._backend, Changes()
        with backend.writing():
            before = self._network()
            after = replace_network(backend, changes, self._bodies, network, before.network, now)
            if after.digest != before.digest:
                backend.apply(changes)
                return after
        return before

    def save_items(
        self, owner: str, items: Iterable[Item], aliases: Iterable[Alias] = (), *, now: int
    ) -> int:
        """See `Store.save_items`."""
        backend, written = self._backend, 0
        with backend.writing():
            owner_id = self._owner(owner)
            for batch in batches(items):
                backend.apply(item_changes(backend, self._bodies, owner_id, batch, now))
                written += len(batch)
                named = {item.sku for item in batch}
                self._identify(orders_awaiting(backend, owner_id, sorted(named)), now)
            for some in batches(aliases):
                backend.apply(alias_changes(backend, owner_id, some))
                for channel in sorted({alias.channel for alias in some}):
                    named = {alias.external_id for alias in some if alias.channel == channel}
                    waiting = orders_awaiting(backend, owner_id, sorted(named), channel)
                    self._identify(waiting, now)
        return written

    def _identify(self, orders: Sequence[OrderRow], now: int) -> None:
        """Take up the lines of these orders whose items are known by now."""
        for start in range(0, len(orders), AT_ONCE):
            changes = Changes()
            some = orders[start : start + AT_ONCE]
            identify(self._backend, changes, self._bodies, some, now)
            self._apply(changes, now)
            self._settle_sent(some, now)

    def _settle_sent(self, orders: Sequence[OrderRow], now: int) -> None:
        """Count what others had sent of lines before their item was known, and take up the returns
        that waited for it. One order at a time: they may have been taken from the same shelf."""
        kept = kept_of(self._backend, [order.external_id for order in orders])
        for order in orders:
            if kept.get(order[1:4], NOTHING_KEPT).elsewhere:
                changes = Changes()
                settle_kept(self._backend, changes, self._bodies, order.id, now)
                self._apply(changes, now)
                self._take_up(order, now)

    def put_blob(self, kind: str, body: bytes) -> str:
        """See `Store.put_blob`."""
        changes = Changes()
        with self._backend.writing():
            digest = add_blob(self._backend, changes, kind, body)
            self._backend.apply(changes)
        return digest

    def _by_sku(self, command: ObserveStock, owner_id: int) -> ObserveStock:
        """The same news with SKUs for the item ids of the channel it names."""
        if not command.channel:
            return command
        names = list({count.sku for count in command.counts})
        skus = self._backend.aliases(owner_id, command.channel, names)
        counts = tuple(
            evolve(count, sku=skus[count.sku]) if count.sku in skus else count
            for count in command.counts
        )
        return evolve(command, counts=counts)

    def observe_stock(self, command: ObserveStock, *, now: int, task: str = "") -> Outcome:
        """See `Store.observe_stock`."""
        backend, changes = self._backend, Changes(command.by)
        check_types(command)
        digest = digest_of(command, "this news of stock") if command.key else b""
        with backend.writing():
            owner_id = self._owner(command.owner)
            if command.key:
                repeat = seen_before(backend, owner_id, "stock", command.key, digest)
                if repeat is not None:
                    return repeat
            told, command = command, self._by_sku(command, owner_id)
            items = backend.item_ids(owner_id, list({count.sku for count in command.counts}))
            stored = self._network()
            nodes = {
                node.id: node_id
                for node, node_id in zip(stored.network.nodes, stored.node_ids, strict=True)
            }
            bad = bad_counts(command, items, nodes, now)
            check_any(command, bad, task)
            kept = self._keep_counts(told, bad, task, now) if bad else ""
            command = without(command, bad) if bad else command
            observe = Observe(backend, changes, now)
            keys = [(items[count.sku], nodes[count.node]) for count in command.counts]
            observe.take_all(command, keys)
            detail = f"{observe.applied} applied, {observe.dropped} older than the last count"
            if observe.short:
                detail += f"; {observe.short} short of what is promised, {observe.freed} freed"
            word = "observed" if observe.applied or not command.counts else "stale"
            outcome = Outcome(word, None, detail)
            outcome = with_kept(outcome, len(bad), kept) if bad else outcome
            if command.key:
                remember(changes, owner_id, "stock", command.key, digest, outcome, now)
            self._apply(changes, now)
        return outcome

    def _keep_counts(
        self, told: ObserveStock, bad: Mapping[int, Sequence[Problem]], task: str, now: int
    ) -> str:
        """Keep what cannot be taken in; what it is called.

        Raises:
            PayloadError: too much is kept already.
        """
        changes = Changes(told.by)
        kept = keep_unread(self._backend, changes, left_out(told, bad, task, now), now)
        if kept is None:
            raise refusal(bad)
        self._backend.apply(changes)
        return kept[0]
