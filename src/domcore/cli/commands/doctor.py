"""``domcore doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from domcore.cli.exits import DONE, FAILED
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean
from domcore.cli.verb import verb
from domcore.errors import ConfigurationError, DomcoreError
from domcore.settings import Settings

if TYPE_CHECKING:
    from domcore.doctor import Finding


_OF_THE_STORE: Final = ("store", "network", "clock", "disk")


@verb("domcore doctor", "domcore doctor --json")
def command(run: Invocation) -> int:
    """Look for trouble in the surroundings: database, rule engine, plugins, clock, settings.

    Exit code 1 says that something will not work. Where there is no store that can be used, the
    rest is looked at all the same.
    """
    try:
        with run.open() as dom:
            rows = [_row(each) for each in dom.doctor()]
    except DomcoreError as error:
        rows = [{"level": "fail", "subject": "start", "message": _line(error), "fix": ""}]
        rows += _without_store(run)
    width = max(len(row["subject"]) for row in rows)
    for row in rows:
        if run.out.as_json:
            run.out.object(row)
            continue
        run.out.say(
            clean(f"{row['level'].upper():<4}  {row['subject']:<{width}}  {row['message']}")
        )
        if row["fix"]:
            run.out.say(clean(f"{'':<{width + 6}}  -> {row['fix']}"))
    return FAILED if any(row["level"] == "fail" for row in rows) else DONE


def _without_store(run: Invocation) -> list[dict[str, str]]:
    """What can be said of the surroundings by themselves: with an empty store in memory."""
    from domcore.app import Domcore
    from domcore.doctor import sqlite_findings

    try:
        settings = evolve(run.settings, store="memory:")
    except ConfigurationError:
        settings = Settings(store="memory:")
    try:
        with Domcore(settings) as dom:
            found = [each for each in dom.doctor() if each.subject not in _OF_THE_STORE]
    except DomcoreError as error:
        return [{"level": "fail", "subject": "settings", "message": _line(error), "fix": ""}]
    return [_row(each) for each in [*found[:1], *sqlite_findings(), *found[1:]]]


def _line(error: DomcoreError) -> str:
    """What is wrong, on one line."""
    first, *rest = str(error).splitlines()
    return f"{first}: {'; '.join(each.strip() for each in rest)}" if rest else first


def _row(finding: Finding) -> dict[str, str]:
    return {
        "level": finding.level,
        "subject": finding.subject,
        "message": finding.message,
        "fix": finding.fix,
    }
