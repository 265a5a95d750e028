"""The store in memory: for tests, simulations and trying things out. Nothing outlives it."""

from __future__ import annotations

from domcore.store.base import OperationStore
from domcore.store.memory.backend import MemoryBackend

__all__ = ["MemoryStore"]


class MemoryStore(OperationStore):
    """A store in dictionaries, safe to share by threads."""

    def __init__(self) -> None:
        super().__init__(MemoryBackend())
