from __future__ import annotations

import random
import subprocess
import sys
import textwrap
from itertools import groupby
from pathlib import Path

import pytest

from domcore.verify.spool import Grouped, Spool, Tally

SCRIPT = textwrap.dedent(
    """
    import sys, tracemalloc
    from domcore.settings import RoutingSettings, Settings
    from domcore.testing.builder import World
    import domcore.verify.spool as spool
    from domcore.verify import verify

    world = World().node("NYC", at=(40.7, -74.0), connector="x").node("LAX", at=(34.0, -118.2))
    world.item("MUG", weight=300).stock("MUG", NYC=10_000_000)
    dom = world.open(
        Settings(store=sys.argv[1], engine="python", routing=RoutingSettings(batch=500))
    )

    def peak():
        tracemalloc.start()
        assert list(verify(dom.store)) == []
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    done = 0
    for target in (1500, 6000):
        dom.capture_all(world.order(str(n), MUG=1) for n in range(done, target))
        dom.route()
        done = target
        print(peak())
    """
)


@pytest.mark.parametrize("most", [3, 7, 100_000])
def test_a_spool_sorts_what_does_not_fit_into_memory(most: int) -> None:
    rows = [(random.Random(n).randrange(50), n, None, "text") for n in range(500)]
    spool = Spool(most)
    for row in rows:
        spool.add(row)
    assert list(spool.sorted()) == sorted(rows)
    spool.close()


@pytest.mark.parametrize("most", [3, 100_000])
def test_a_tally_adds_up_what_does_not_fit_into_memory(most: int) -> None:
    dice = random.Random(7)
    rows = [((dice.randrange(9), dice.randrange(9)), (dice.randrange(5), -1)) for _ in range(900)]
    tally = Tally(2, most)
    for key, amounts in rows:
        tally.add(key, amounts)
    expected = [
        (key, [sum(column) for column in zip(*(amounts for _, amounts in group), strict=True)])
        for key, group in groupby(sorted(rows), lambda row: row[0])
    ]
    assert list(tally.sorted()) == expected
    tally.close()


def test_groups_are_handed_out_and_strays_are_kept() -> None:
    grouped = Grouped(iter([(1, "a"), (1, "b"), (2, "c"), (4, "d"), (9, "e")]))
    assert grouped.take(1) == [(1, "a"), (1, "b")]
    assert grouped.take(3) == []
    assert grouped.take(4) == [(4, "d")]
    assert grouped.strays == [(2, "c")]
    grouped.finish()
    assert grouped.strays == [(2, "c"), (9, "e")]


def test_endless_strays_do_not_fill_the_memory() -> None:
    grouped = Grouped(iter([(1, n) for n in range(5_000)]))
    grouped.finish()
    assert len(grouped.strays) == Grouped.MOST_STRAYS


def test_memory_does_not_grow_with_the_number_of_orders(tmp_path: Path) -> None:
    """The limits are made small, so that they are reached with few orders."""
    script = SCRIPT.replace("import sys,", "import sys, os,").replace(
        "from domcore.verify import verify",
        "spool.Spool.__init__.__defaults__ = (400,)\nspool.Tally.__init__.__defaults__ = (400,)\n"
        "from domcore.verify import verify",
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "big.db")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    small, large = map(int, done.stdout.split())
    assert large < small * 1.4, f"{small:,} bytes for 1,500 orders, {large:,} for 6,000"
