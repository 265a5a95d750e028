"""What the exit codes mean, everywhere."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOTHING: Final = 3
PARTIAL: Final = 4
INTERRUPTED: Final = 130

MEANINGS: Final = {
    DONE: "done",
    FAILED: "failed; standard error says why",
    USAGE: "the command was not understood",
    NOTHING: "there was nothing that could be routed",
    PARTIAL: "some of it is done, some is not",
    INTERRUPTED: "stopped by Ctrl-C; what was committed stays",
}
