"""What is known of a delivery beside its body, and the times that stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from attrs import field, frozen

from domcore.codec.scalars import Refused, strict_moment
from domcore.errors import Problem

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@frozen(slots=True)
class Delivery:
    """What is known of a delivery beside its body.

    Args:
        path: where the order stands in the body, for errors.
        revision: the revision to tell, where it is known better than from the body.
        refunded: units by line id; the body does not say.
    """

    key: str = ""
    path: str = "$"
    revision: int | None = None
    refunded: Mapping[int, int] = field(factory=dict)


def moment(text: str | None, path: str, problems: list[Problem]) -> datetime:
    """A GMT time, which is written without an offset."""
    if text is None:
        problems.append(Problem(path, "is missing"))
        return _EPOCH
    try:
        return strict_moment(text if text.endswith(("Z", "z")) else f"{text}Z")
    except Refused:
        problems.append(Problem(path, "must be a time in GMT, such as 2026-03-01T12:00:00"))
        return _EPOCH
