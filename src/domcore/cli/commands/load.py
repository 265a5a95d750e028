"""``domcore load network|items|stock|orders``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from domcore.cli.exits import DONE, INTERRUPTED, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import times
from domcore.cli.progress import Progress
from domcore.cli.verb import Examples, verb
from domcore.errors import PayloadError
from domcore.loading import (
    BAD_ROWS,
    FORMATS,
    Aside,
    BadRows,
    Loaded,
    Source,
    check_stock,
    load_items,
    load_network,
    load_orders,
    write_stock,
)

_format = click.option(
    "--format", "form", type=click.Choice(FORMATS), help="What the file is, if its name is silent."
)
_owner = click.option("--owner", default="main", show_default=True, help="Whose goods they are.")
_bad_rows = click.option(
    "--bad-rows",
    type=click.Choice(BAD_ROWS),
    default="aside",
    show_default=True,
    help="Write bad rows to a file beside it and load the others, or refuse the whole file.",
)
_file = click.argument("file", type=click.Path(path_type=Path, allow_dash=True))


@click.group(cls=Examples, examples=["domcore load network network.toml"])
def command() -> None:
    """Load the network, items, stock or orders from files.

    TOML, JSON, JSON Lines or CSV; `-` is standard input. A file is checked to its end before
    anything is loaded, and every bad row is named. Of items and stock the good rows are loaded, and
    the bad ones written to a file beside it; a network is loaded whole or not at all.
    """


@verb("domcore load network network.toml", "domcore load network network.toml --json")
@click.argument(
    "files", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1, required=True
)
@_format
def network(run: Invocation, files: Sequence[Path], form: str | None) -> None:
    """Replace the network by what stands in FILE..., nodes and rate cards together."""
    sources = [Source.of(file, form or "") for file in files]
    with run.open() as dom:
        _told(run, load_network(dom, sources))


@verb(
    "domcore load items items.csv",
    "domcore load items - --format csv < items.csv",
    exits=(PARTIAL,),
)
@_file
@_format
@_owner
@_bad_rows
def items(run: Invocation, file: Path, form: str | None, owner: str, bad_rows: BadRows) -> int:
    """Insert or replace the items of FILE.

    Bad rows are left out, and written to FILE.bad.csv or the like with their reasons beside them:
    mend them there and load that file.
    """
    with run.open() as dom, _source(file, form) as source:
        return _told(run, load_items(dom, source, owner=owner, bad_rows=bad_rows))


@verb(
    "domcore load stock stock.csv",
    "domcore load stock stock.csv --owner main --json",
    exits=(PARTIAL,),
    writes=True,
)
@_file
@_format
@_owner
@_bad_rows
@click.option(
    "--again", is_flag=True, help="Take it in although the same file was taken in before."
)
def stock(
    run: Invocation,
    file: Path,
    form: str | None,
    owner: str,
    bad_rows: BadRows,
    again: bool,
) -> int:
    """Take in the counts and changes of FILE.

    Counts without an as_of are of now, so such a file is news each time. A file with changes, or
    of dated counts only, is taken in once: when it comes again, nothing is changed. The file is
    written in parts, and routing goes on in between; if it is stopped, load the same file again.
    Bad rows are left out, and written to FILE.bad.csv or the like with their reasons beside them:
    mend them there and load that file.
    """
    with run.open() as dom, _source(file, form) as source:
        with Progress("checked", out=run.out) as checked:
            feed = check_stock(
                dom, source, owner=owner, again=again, bad_rows=bad_rows, progress=checked.advance
            )
        with Progress("loaded", feed.rows, out=run.out) as loaded:
            try:
                return _told(run, write_stock(dom, feed, progress=loaded.advance))
            except KeyboardInterrupt:
                run.out.note(
                    f"\nStopped. {times(loaded.done, 'row')} of {feed.rows:,} taken in and kept;"
                    " load the same file again to take in the rest."
                )
                return INTERRUPTED


@verb(
    "domcore load orders orders.csv",
    "domcore load orders orders.jsonl --channel phone --json",
    exits=(PARTIAL,),
    writes=True,
)
@_file
@_format
@_owner
@click.option("--channel", default="file", show_default=True, help="Whose orders they are.")
@click.option("--refuse", is_flag=True, help="One bad row refuses the whole file.")
def orders(
    run: Invocation, file: Path, form: str | None, owner: str, channel: str, refuse: bool
) -> int:
    """Take in the orders of FILE.

    In CSV each row is a line of an order, and rows with the same `order` are one; in JSON and JSON
    Lines each object is an order with its `lines`. An order with a bad row is left out whole, and
    every bad row is named. The same file again changes nothing; a later `revision` amends an order.
    Exit code 4 says that some orders were left out.
    """
    with run.open() as dom, _source(file, form) as source:
        loaded = load_orders(dom, source, channel=channel, owner=owner, refuse=refuse)
    shown = [str(each) for each in loaded.problems[: PayloadError.SHOWN]]
    if run.out.as_json:
        told = {"what": "orders", "files": [loaded.file], "loaded": loaded.taken}
        run.out.object({**told, **loaded.counts, "left_out": loaded.left_out, "problems": shown})
    parts = ", ".join(f"{number:,} {word}" for word, number in loaded.counts.items())
    run.out.say(f"{times(sum(loaded.counts.values()), 'order')} of {loaded.file}: {parts}.")
    if not loaded.left_out:
        return DONE
    run.out.say(
        f"Left out {times(loaded.left_out, 'order')} with bad rows; mend them and load again."
    )
    for each in shown:
        run.out.note(f"  {each}")
    return PARTIAL


for _command in (network, items, stock, orders):
    command.add_command(_command)


def _told(run: Invocation, loaded: Loaded) -> int:
    """Say what was loaded and what was not; returns the exit code."""
    code = PARTIAL if loaded.aside.rows or loaded.partly else DONE
    if run.out.as_json:
        run.out.object(_row(loaded))
        return code
    files = ", ".join(loaded.files)
    noun = loaded.what.removesuffix("s")
    if loaded.count or not (loaded.already or loaded.partly):
        run.out.say(f"Loaded {times(loaded.count, noun)} from {files}.")
    if loaded.older:
        number = times(loaded.older, f"older {noun}")
        run.out.say(f"Dropped {number}: a later count is known.")
    if loaded.already:
        number = times(loaded.already, noun)
        run.out.say(
            f"{number} of {files} had been loaded before; they were left out."
            if loaded.count or loaded.older or loaded.partly
            else f"{files} had been loaded already, and nothing changed;"
            " --again takes it in once more."
        )
    if loaded.partly:
        run.out.say(
            f"{times(loaded.partly, noun)} of {files} stand in parts that had been loaded before"
            " with other rows left out; nothing of these parts was loaded now. Load the file of bad"
            " rows that was written then instead."
        )
    _say_left_out(run, loaded.aside)
    return code


def _row(loaded: Loaded) -> dict[str, object]:
    row: dict[str, object] = {
        "loaded": loaded.count, "what": loaded.what, "files": loaded.files
    }  # fmt: skip
    if loaded.what == "counts":
        row |= {"older": loaded.older, "already": loaded.already, "partly": loaded.partly}
    if loaded.what != "nodes":
        aside = loaded.aside
        shown = [str(each) for each in aside.problems[: PayloadError.SHOWN]]
        row |= {
            "left_out": aside.rows, "aside": aside.file, "reasons": aside.reasons,
            "problems": shown,
        }  # fmt: skip
    return row


def _say_left_out(run: Invocation, aside: Aside) -> None:
    if not aside.rows:
        return
    run.out.say(
        f"Left out {times(aside.rows, 'bad row')}, written to {aside.file}; {aside.reasons} says"
        " why. Mend them there and load that file."
    )
    for each in aside.problems[: PayloadError.SHOWN]:
        run.out.note(f"  {each}")
    more = len(aside.problems) - PayloadError.SHOWN
    if more > 0:
        run.out.note(f"  ... and {more} more")


@contextmanager
def _source(file: Path, form: str | None) -> Iterator[Source]:
    """The file; standard input is kept in a temporary one, because files are read twice."""
    if str(file) != "-":
        yield Source.of(file, form or "")
        return
    if form is None:
        raise click.UsageError("standard input has no name: give --format")
    with tempfile.TemporaryDirectory(prefix="domcore-") as folder:
        kept = Path(folder) / "input"
        with kept.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield Source("standard input", kept, form, Path("standard-input"))
