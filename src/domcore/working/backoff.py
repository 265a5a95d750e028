"""How long to leave something alone that has failed."""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import Final

from domcore.settings import WorkSettings

_SECOND: Final = 1_000_000
_SPAN: Final = 2**64


def wait(
    settings: WorkSettings, seed: int, key: str, attempts: int, retry_after: object = None
) -> int:
    """Microseconds until the next attempt: exponential with full jitter, at least a second.

    The jitter is drawn from the seed, the key and the attempt, so that a run can be repeated, and
    two pieces that failed together do not come back together.

    Args:
        attempts: how many there have been, from 1.
        retry_after: seconds that the partner asked to be left alone.
    """
    most = settings.backoff_most_seconds
    ceiling = min(most, settings.backoff_seconds << min(attempts - 1, 40))
    draw = int.from_bytes(blake2b(f"{seed}/{key}/{attempts}".encode(), digest_size=8).digest())
    delay = max(_SECOND, ceiling * _SECOND * draw // _SPAN)
    return min(max(delay, _asked(retry_after)), max(most, 1) * _SECOND)


def _asked(retry_after: object) -> int:
    if isinstance(retry_after, bool) or not isinstance(retry_after, int | float):
        return 0
    if not math.isfinite(retry_after) or retry_after <= 0:
        return 0
    return int(min(retry_after, 10**9) * _SECOND)
