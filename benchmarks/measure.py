"""What every benchmark needs: CPU clocks, ratios, a table, and a word on the machine."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define


@define
class Clock:
    """CPU and wall seconds of one measured piece."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def measured() -> Iterator[Clock]:
    """Clock what happens inside."""
    clock = Clock()
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        yield clock
    finally:
        clock.cpu = time.process_time() - cpu
        clock.wall = time.perf_counter() - wall


def cpu_of(work: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    with measured() as clock:
        work()
    return clock.cpu


def median(values: Iterable[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def micro(seconds: float, count: int) -> str:
    """Microseconds each."""
    return f"{seconds / count * 1e6:,.0f} us"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table with aligned columns."""
    cells = [list(map(str, heads)), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(heads))]
    for number, row in enumerate(cells):
        print(
            "| "
            + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            + " |"
        )
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print(flush=True)


def machine() -> str:
    """The kind of machine, for the head of a report."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {sys.platform}"


def parser(description: str | None) -> argparse.ArgumentParser:
    """An argument parser with what all benchmarks share."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--smoke", action="store_true", help="small and quick, figures mean nothing")
    made.add_argument("--rounds", type=int, default=3, help="rounds of which the median counts")
    return made


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="domcore-bench-") as folder:
        yield Path(folder)


def peak_megabytes() -> float:
    """The most memory this process has had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # The resource module would report the parent's peak if that was higher.
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024 / 1e6
    import resource  # not on every platform

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / 1e6
