"""CPU by stage: stamps round the functions that a decision passes through.

Each stage counts its own time, not that of stages called from inside it. The stamps cost time
themselves, so a stamped run is never the one whose total is reported.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field

STAGES = (
    ("read orders", "domcore.store.base:OperationStore.open_orders"),
    ("snapshot", "domcore.planning:PlanningKit.look"),
    ("question", "domcore.planning:PlanningKit.question"),
    ("survey", "domcore.sourcing.decide:survey"),
    ("rules", "domcore.rules.program:Program.judge"),
    ("prices", "domcore.sourcing.decide:rule_prices"),
    ("assemble", "domcore.sourcing.passes:assemble"),
    ("plan", "domcore.sourcing.passes:solve"),
    ("plan to words", "domcore.sourcing.decide:plan_of"),
    ("record", "domcore.sourcing.decide:_written"),
    ("commit rows", "domcore.store.writing.orders:commit_changes"),
    ("SQL writes", "domcore.store.sqlite.backend:SqliteBackend.apply"),
    ("begin, commit", "domcore.store.base:OperationStore.commit"),
    ("events, draws", "domcore.routing:Router._commit"),
    ("decide, the rest", "domcore.routing:work_out"),
    ("loop, the rest", "domcore.app:Domcore.route"),
)


@define
class Stamps:
    """Seconds by stage."""

    seconds: dict[str, float] = field(factory=dict)
    _open: list[float] = field(factory=list)

    def wrap(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """`work`, stamped."""
        seconds, nested, clock = self.seconds, self._open, time.process_time
        seconds.setdefault(stage, 0.0)

        def stamped(*args: Any, **kwargs: Any) -> Any:
            nested.append(0.0)
            started = clock()
            try:
                return work(*args, **kwargs)
            finally:
                spent = clock() - started
                seconds[stage] += spent - nested.pop()
                if nested:
                    nested[-1] += spent

        return stamped


@contextmanager
def stamped() -> Iterator[Stamps]:
    """Stamp every stage for as long as this lasts."""
    stamps = Stamps()
    undo: list[tuple[Any, str, Any]] = []
    try:
        for stage, target in STAGES:
            owner, name = _find(target)
            work = getattr(owner, name)
            undo.append((owner, name, work))
            setattr(owner, name, stamps.wrap(stage, work))
        yield stamps
    finally:
        for owner, name, work in reversed(undo):
            setattr(owner, name, work)


def _find(target: str) -> tuple[Any, str]:
    module, path = target.split(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    return owner, name
