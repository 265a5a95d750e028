"""Bad rows in Python: what `Loaded.aside` tells, and what is left behind when a load fails."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from domcore import ConfigurationError, Domcore, PayloadError, Settings
from domcore.loading import Source, check_stock, load_items, load_stock, write_stock
from domcore.loading.apply import BATCH
from domcore.model import Item
from domcore.testing.builder import World


@pytest.fixture
def dom() -> Iterator[Domcore]:
    with World().node("NYC", at=(40.0, -74.0)).open(Settings(store="memory:")) as made:
        made.load_items(Item(f"S{number:05}") for number in range(3 * BATCH))
        yield made


def counts(path: Path, rows: int, bad: int) -> Source:
    """`rows` changes of which each `bad`-th is none."""
    with path.open("w") as file:
        file.write("sku,node,delta\n")
        file.writelines(
            f"S{number:05},NYC,{'x' if number % bad == 0 else 1}\n" for number in range(rows)
        )
    return Source.of(path)


def taken(dom: Domcore) -> int:
    return sum(row[2] for row in dom.store.audit("stock"))


def test_what_was_left_out_is_told(dom: Domcore, tmp_path: Path) -> None:
    loaded = load_stock(dom, counts(tmp_path / "s.csv", 2500, 1000), owner="main")
    assert (loaded.count, loaded.aside.rows) == (2497, 3)
    assert [each.path for each in loaded.aside.problems] == [
        f"{tmp_path / 's.csv'}:{line} delta" for line in (2, 1002, 2002)
    ]
    assert Path(loaded.aside.file).read_text().splitlines()[1:] == [
        "S00000,NYC,x", "S01000,NYC,x", "S02000,NYC,x",
    ]  # fmt: skip
    assert len(Path(loaded.aside.reasons).read_text().splitlines()) == 3
    assert taken(dom) == 2497


def test_a_clean_file_leaves_nothing_beside_it(dom: Domcore, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("sku,node,delta\nS00001,NYC,1\n")
    loaded = load_stock(dom, Source.of(tmp_path / "s.csv"), owner="main")
    assert (loaded.aside.rows, loaded.aside.file) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]


def test_a_load_that_fails_leaves_no_file_of_bad_rows(dom: Domcore, tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("sku,weight_g\nA,1\nB,x\n")
    with pytest.raises(Exception, match="nobody"):
        load_items(dom, Source.of(tmp_path / "i.csv"), owner="nobody")
    assert [path.name for path in tmp_path.iterdir()] == ["i.csv"]


def test_a_file_that_changed_since_it_was_checked_is_not_loaded(
    dom: Domcore, tmp_path: Path
) -> None:
    source = counts(tmp_path / "s.csv", 10, 7)
    checked = check_stock(dom, source, owner="main")
    source.path.write_text("sku,node,delta\nS00001,NYC,1\n")
    with pytest.raises(ConfigurationError, match="was changed while it was loaded"):
        write_stock(dom, checked)
    assert taken(dom) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]


def test_an_interrupted_load_with_bad_rows_counts_once(dom: Domcore, tmp_path: Path) -> None:
    source = counts(tmp_path / "s.csv", 3 * BATCH, 1000)

    def stop(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_stock(dom, check_stock(dom, source, owner="main"), progress=stop)
    assert taken(dom) == BATCH - 2
    loaded = load_stock(dom, source, owner="main")
    assert (loaded.already, loaded.count) == (BATCH - 2, 2 * BATCH - 4)
    assert taken(dom) == 3 * BATCH - 6
    assert len(list(tmp_path.glob("s.bad*.csv"))) == 1


def test_parts_keep_their_rows_when_some_of_them_are_good_the_next_time(
    dom: Domcore, tmp_path: Path
) -> None:
    """Else a change that stood in one part would be counted again with the next."""
    path = tmp_path / "s.csv"
    with path.open("w") as file:
        file.write("sku,node,delta\nNEW,NYC,1\n")
        file.writelines(f"S{number:05},NYC,1\n" for number in range(2 * BATCH - 1))

    def stop(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_stock(dom, check_stock(dom, Source.of(path), owner="main"), progress=stop)
    dom.load_items([Item("NEW")])
    loaded = load_stock(dom, Source.of(path), owner="main")
    assert (loaded.partly, loaded.count) == (BATCH, BATCH)
    assert taken(dom) == 2 * BATCH - 1
    assert load_stock(dom, Source.of(tmp_path / "s.bad.csv"), owner="main").count == 1
    assert taken(dom) == 2 * BATCH


def test_a_refused_file_names_every_row(dom: Domcore, tmp_path: Path) -> None:
    with pytest.raises(PayloadError) as refused:
        load_stock(dom, counts(tmp_path / "s.csv", 30, 10), owner="main", bad_rows="refuse")
    assert len(refused.value.problems) == 3
    assert taken(dom) == 0


def test_memory_does_not_grow_with_a_file_that_has_bad_rows(dom: Domcore, tmp_path: Path) -> None:
    peaks = []
    for rows in (BATCH, 3 * BATCH):
        source = counts(tmp_path / f"{rows}.csv", rows, 100)
        tracemalloc.start()
        checked = check_stock(dom, source, owner="main")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert checked.rows == rows - rows // 100
    # A bad row costs its reason; a good one the few bytes by which it is known.
    assert peaks[1] - peaks[0] < 2 * BATCH * 150
