"""What a round of work does about packs that were edited meanwhile."""

from __future__ import annotations

import logging
from typing import Final

from domcore.errors import DomcoreError
from domcore.rule_remarks import remarks_here
from domcore.rules.remarks import NOTE
from domcore.working.round import MOST_WORDS, Round

TASK: Final = "rules:packs"
"""What stands among what keeps failing as long as edited packs cannot be used."""

NOT_IN_FORCE: Final = "edited packs are not in force: "


_log = logging.getLogger("domcore.rules")


def heed(round: Round) -> None:
    """Take up packs that were edited. Where they cannot be used, say so, in the report and among
    what keeps failing; the rules from before stay in force."""
    dom, store = round.dom, round.dom.store
    dom._heed_packs(at_once=True)
    _remark(round)
    error = dom._kit.programs.error
    if error:
        round.tally.fail(NOT_IN_FORCE + error)
    elif not any(task.name == TASK and task.failed_at is not None for task in store.tasks()):
        return
    now = round.now()
    task = store.lease_task(TASK, now=now, until=round.lease_end())
    if task is not None:
        store.settle_task(task, now=now, due_at=now, well=not error, note=error[:MOST_WORDS])


def _remark(round: Round) -> None:
    """Say in the log what is odd about the rules in force: at the start, and for each change."""
    programs = round.dom._kit.programs
    digests = programs.active_digests()
    if digests == programs.remarked:
        return
    programs.remarked = digests
    try:
        found = remarks_here(round.dom, programs.in_force(), now=round.dom.now())
    except DomcoreError:
        return  # what cannot be used is told where it is needed
    for remark in found:
        if remark.level != NOTE:
            told = {"event": "rules.remark", "rule": remark.rule}
            _log.warning("%s", remark, extra=told)
