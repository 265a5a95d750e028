"""What a round of work does about packs that were edited meanwhile."""

from __future__ import annotations

from typing import Final

from domcore.working.round import MOST_WORDS, Round

TASK: Final = "rules:packs"
"""What stands among what keeps failing as long as edited packs cannot be used."""

NOT_IN_FORCE: Final = "edited packs are not in force: "


def heed(round: Round) -> None:
    """Take up packs that were edited. Where they cannot be used, say so, in the report and among
    what keeps failing; the rules from before stay in force."""
    dom, store = round.dom, round.dom.store
    dom._heed_packs(at_once=True)
    error = dom._kit.programs.error
    if error:
        round.tally.fail(NOT_IN_FORCE + error)
    elif not any(task.name == TASK and task.failed_at is not None for task in store.tasks()):
        return
    now = round.now()
    task = store.lease_task(TASK, now=now, until=round.lease_end())
    if task is not None:
        store.settle_task(task, now=now, due_at=now, well=not error, note=error[:MOST_WORDS])
