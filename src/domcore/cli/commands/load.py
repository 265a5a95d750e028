"""``domcore load network|items|stock``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from domcore.cli.exits import DONE, INTERRUPTED
from domcore.cli.output import times
from domcore.cli.progress import Progress
from domcore.cli.verb import Examples, Invocation, verb
from domcore.loading import (
    FORMATS,
    Loaded,
    Source,
    check_stock,
    load_items,
    load_network,
    write_stock,
)

_format = click.option(
    "--format", "form", type=click.Choice(FORMATS), help="What the file is, if its name is silent."
)
_owner = click.option("--owner", default="main", show_default=True, help="Whose goods they are.")
_file = click.argument("file", type=click.Path(path_type=Path, allow_dash=True))


@click.group(cls=Examples, examples=["domcore load network network.toml"])
def command() -> None:
    """Load the network, items or stock from files.

    TOML, JSON, JSON Lines or CSV; `-` is standard input. A file is checked whole before anything
    is written, and every bad row is named.
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


@verb("domcore load items items.csv", "domcore load items - --format csv < items.csv")
@_file
@_format
@_owner
def items(run: Invocation, file: Path, form: str | None, owner: str) -> None:
    """Insert or replace the items of FILE."""
    with run.open() as dom, _source(file, form) as source:
        _told(run, load_items(dom, source, owner=owner))


@verb(
    "domcore load stock stock.csv", "domcore load stock stock.csv --owner main --json", writes=True
)
@_file
@_format
@_owner
@click.option(
    "--again", is_flag=True, help="Take it in although the same file was taken in before."
)
def stock(run: Invocation, file: Path, form: str | None, owner: str, again: bool) -> int:
    """Take in the counts and changes of FILE.

    Counts without an as_of are of now, so such a file is news each time. A file with changes, or
    of dated counts only, is taken in once: when it comes again, nothing is changed. The file is
    written in parts, and routing goes on in between; if it is stopped, load the same file again.
    """
    with run.open() as dom, _source(file, form) as source:
        with Progress("checked", out=run.out) as checked:
            feed = check_stock(dom, source, owner=owner, again=again, progress=checked.advance)
        with Progress("loaded", feed.rows, out=run.out) as loaded:
            try:
                _told(run, write_stock(dom, feed, progress=loaded.advance))
            except KeyboardInterrupt:
                run.out.note(
                    f"\nStopped. {times(loaded.done, 'row')} of {feed.rows:,} taken in and kept;"
                    " load the same file again to take in the rest."
                )
                return INTERRUPTED
    return DONE


for _command in (network, items, stock):
    command.add_command(_command)


def _told(run: Invocation, loaded: Loaded) -> None:
    files = ", ".join(loaded.files)
    if run.out.as_json:
        row = {"loaded": loaded.count, "what": loaded.what, "files": loaded.files}
        if loaded.what == "counts":
            row |= {"older": loaded.older, "already": loaded.already}
        run.out.object(row)
        return
    noun = loaded.what.removesuffix("s")
    if loaded.count or not loaded.already:
        run.out.say(f"Loaded {times(loaded.count, noun)} from {files}.")
    if loaded.older:
        number = times(loaded.older, f"older {noun}")
        run.out.say(f"Dropped {number}: a later count is known.")
    if loaded.already:
        number = times(loaded.already, noun)
        run.out.say(
            f"{number} of {files} had been loaded before; they were left out."
            if loaded.count or loaded.older
            else f"{files} had been loaded already, and nothing changed;"
            " --again takes it in once more."
        )


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
        yield Source("standard input", kept, form)
