"""The reference of all commands as Markdown: ``python -m domcore.cli.reference docs/cli.md``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from domcore.cli.exits import MEANINGS
from domcore.cli.root import COMMANDS, build
from domcore.cli.verb import Examples, Verb

_HEAD = """\
# Command line

Written by `python -m domcore.cli.reference docs/cli.md` from the commands themselves; a test
compares the two. Edit the commands, not this page.

`domcore COMMAND --help` says the same. Tables are for people and may change; what `--json` prints
is for programs: one JSON object per line, money as decimal text, times in ISO 8601, keys that
stay, which [What --json prints](json.md) names; distances are in metres. Results go to standard
output, remarks and errors to standard error. Progress shows on a terminal only, and only when
something lasts. Lists come in pages: `--limit`, and `--after` with the cursor that the page before
gave. Personal data is not printed.

An ORDER is named by its number, its external id, channel/external-id or owner/channel/external-id;
`1001` also finds `#1001`. The store's own id is written `id:15`: a bare number is a channel's.
Ctrl-C ends every command with 130; what was committed stays. A reader that goes away, as in
`domcore route --all --json | head -1`, stops nothing: the command goes on to its end, what it
prints is dropped, and the exit code is that of the work.

`domcore completion bash`, `zsh` or `fish` prints a script for shell completion.

## Exit codes

| code | meaning |
|---|---|
"""


def reference() -> str:
    """The whole page."""
    root = build()
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items())
    context = click.Context(root, info_name="domcore")
    parts = [_HEAD + codes]
    for name in COMMANDS:
        command = root.get_command(context, name)
        if command is not None:
            parts += _sections(command, f"domcore {name}")
    return "\n".join(parts)


def _sections(command: click.Command, path: str) -> Iterator[str]:
    yield f"## {path}\n\n{_text(command)}\n"
    if isinstance(command, click.Group):
        if isinstance(command, Examples):
            examples = "\n".join(command.examples)
            yield f"```sh\n{examples}\n```\n"
        for name, inner in command.commands.items():
            yield from _sections(inner, f"{path} {name}")
        return
    words = [_usage(param) for param in command.params if isinstance(param, click.Argument)]
    yield f"```\n{' '.join([path, '[OPTIONS]', *words])}\n```\n"
    options = [param for param in command.params if isinstance(param, click.Option)]
    if options:
        rows = "".join(f"| {_names(option)} | {_meaning(option)} |\n" for option in options)
        yield f"| option | meaning |\n|---|---|\n{rows}"
    if isinstance(command, Verb):
        examples = "\n".join(command.examples)
        codes = ", ".join(str(code) for code in command.exits)
        yield f"```sh\n{examples}\n```\n\nExit codes: {codes}.\n"


def _text(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "").replace("\b\n", "")


def _usage(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _names(option: click.Option) -> str:
    names = [*option.opts, *option.secondary_opts]
    value = "" if option.is_flag else f" {_value(option)}"
    return ", ".join(f"`{name}{value}`" for name in names)


def _value(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "CHOICE"
    kinds = {"integer": "N", "integer range": "N", "float range": "N", "datetime": "TIME"}
    return kinds.get(option.type.name, option.type.name.upper())


def _meaning(option: click.Option) -> str:
    text = option.help or ""
    if isinstance(option.type, click.Choice):
        text += " One of " + ", ".join(f"`{each}`" for each in option.type.choices) + "."
    if option.show_default:
        text += f" Default: {option.default}."
    return text


def main() -> None:
    """Write the page to the file that is named."""
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
