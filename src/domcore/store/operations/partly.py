"""News of stock of which some counts cannot be taken in: the others are, and those are kept.

They are kept as they were told, with the time they were true at, beside a setback of the task that
brought them; so the page they came with is not needed to try them again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec
from attrs import evolve

from domcore.codec.stored import dump_any
from domcore.errors import Problem, StoreError
from domcore.model.clock import from_micros
from domcore.model.command import ObserveStock
from domcore.store.operations.observe import refusal
from domcore.store.operations.unread import LONGEST_BODY
from domcore.store.values import Outcome, Unread

LEFT: Final = ":left:"
"""Stands in the key of counts that were left out, behind the key they came with."""

LONGEST: Final = 300
"""Letters of the reasons that are shown."""

_KEPT: Final = re.compile(r"; [\d,]+ left out, kept as (\S.*)\Z")


def without(command: ObserveStock, out: Collection[int]) -> ObserveStock:
    """The same news without some of its counts."""
    stays = [number for number in range(len(command.counts)) if number not in out]
    return _some(command, stays)


def left_out(
    command: ObserveStock, bad: Mapping[int, Sequence[Problem]], task: str, now: int
) -> Unread:
    """What is to be kept of counts that cannot be taken in.

    Raises:
        PayloadError: they are too much to be kept.
    """
    counts = tuple(
        each if each.as_of is not None else evolve(each, as_of=from_micros(now))
        for each in (command.counts[number] for number in sorted(bad))
    )
    digest = hashlib.sha256(dump_any(counts)).hexdigest()[:16]
    key = f"{(command.key or task).partition(LEFT)[0]}{LEFT}{digest}"
    body = dump_any(evolve(_some(command, sorted(bad)), counts=counts, key=key))
    if len(body) > LONGEST_BODY:
        raise refusal(bad)
    many = f"{len(bad):,} of {len(command.counts):,} counts are left out"
    reasons = "; ".join(f"{each.path}: {each.message}" for some in bad.values() for each in some)
    return Unread(task, f"{many}: {reasons}"[:LONGEST], body=body)


def told_again(body: bytes) -> ObserveStock:
    """The counts that were kept.

    Raises:
        StoreError: they are damaged.
    """
    try:
        return msgspec.json.decode(body, type=ObserveStock)
    except msgspec.MsgspecError:
        raise StoreError("kept counts are damaged; drop them, and count again") from None


def with_kept(outcome: Outcome, many: int, name: str) -> Outcome:
    """The outcome that says so, too."""
    return outcome._replace(detail=f"{outcome.detail}; {many:,} left out, kept as {name}")


def kept_as(outcome: Outcome) -> str:
    """The name of what was left out of news of stock; empty where nothing was."""
    found = _KEPT.search(outcome.detail)
    return found[1] if found else ""


def check_any(command: ObserveStock, bad: Mapping[int, Sequence[Problem]], task: str) -> None:
    """Refuse what is bad, unless it can be kept and there is more than that.

    Raises:
        PayloadError: every bad field.
    """
    if bad and not (task and len(bad) < len(command.counts)):
        raise refusal(bad)


def _some(command: ObserveStock, numbers: Sequence[int]) -> ObserveStock:
    counts = tuple([command.counts[number] for number in numbers])
    rows = tuple([command.rows[number] for number in numbers]) if command.rows else ()
    return evolve(command, counts=counts, rows=rows)
