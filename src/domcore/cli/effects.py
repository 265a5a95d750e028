"""Changes by hand: the effect is shown, then asked for, then done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from domcore.cli.exits import DONE, NOTHING, PARTIAL
from domcore.cli.invocation import Invocation
from domcore.cli.output import clean, reason, times
from domcore.model import money_text

if TYPE_CHECKING:
    from domcore.redoing import Effect, Standing

_ASKED: Final = {
    "stop": "is asked to stop; what it has is planned anew once it has",
    "change": "is told of the change",
}

dry_run: Final = click.option("--dry-run", is_flag=True, help="Only show the effect.")
yes: Final = click.option("--yes", is_flag=True, help="Do not ask.")
why: Final = click.option(
    "--reason", default="", help="Why; kept with the event. No names, please."
)
key: Final = click.option("--key", default="", help="Makes it safe to repeat.")


def carried_out(
    run: Invocation,
    change: Callable[[bool], Effect],
    question: str,
    *,
    dry_run: bool,
    yes: bool,
) -> int:
    """Show what `change` would do (called with True), ask, and do it (called with False); the exit
    code.

    Args:
        question: what is asked, such as ``Amend #1001?``.
    """
    effect = change(True)
    if effect.outcome.outcome == "nothing":
        return _say(run, effect)
    if dry_run:
        _say(run, effect)
        run.out.note("Nothing was changed.")
        return DONE
    if not yes:
        run.out.note(_text(effect))
        click.confirm(clean(question), abort=True, err=True)
    return _say(run, change(False))


def _say(run: Invocation, effect: Effect) -> int:
    if run.out.as_json:
        run.out.object(effect.to_dict())
    run.out.say(_text(effect))
    if effect.outcome.outcome in ("nothing", "duplicate"):
        return NOTHING
    opened = effect.after.open > effect.before.open
    return PARTIAL if effect.done and effect.decision and opened else DONE


def _text(effect: Effect) -> str:
    words = {"nothing": "nothing to do", "duplicate": "done before", "asked": "to be moved"}
    word = words.get(effect.outcome.outcome, effect.outcome.outcome)
    head = f"{effect.order}: {word if effect.done else 'would be ' + word}"
    if effect.outcome.outcome in ("nothing", "duplicate"):
        head = f"{effect.order}: {word}"
    lines = [f"{head}; {effect.outcome.detail}." if effect.outcome.detail else f"{head}."]
    if effect.outcome.outcome in ("nothing", "duplicate"):
        return clean(lines[0])
    lines.append(f"  before: {_standing(effect.before, effect.currency)}")
    lines.append(f"  after:  {_standing(effect.after, effect.currency)}")
    lines += [f"  {name} {_ASKED[what]}" for name, what in effect.asked]
    if effect.detail:
        lines.append(f"  {effect.detail}")
    lines += [f"  {reason(each)}" for each in effect.reasons]
    return "\n".join(clean(line) if line[0] != " " else f"  {clean(line[2:])}" for line in lines)


def _standing(standing: Standing, currency: str) -> str:
    parts = [f"{units:,} from {node}" for node, units in standing.nodes]
    said = ", ".join(parts) or "no node has any of it"
    if standing.nodes:
        said += f"; {money_text(standing.cost, currency)}"
    if standing.open:
        said += f"; {times(standing.open, 'unit')} open"
    if standing.shipped:
        said += f"; {times(standing.shipped, 'unit')} shipped"
    return said


def pairs(texts: tuple[str, ...], option: str) -> dict[str, int]:
    """``4471=2`` in parts.

    Raises:
        click.BadParameter: it is written otherwise, or names a line twice.
    """
    found: dict[str, int] = {}
    for text in texts:
        line, equals, units = text.rpartition("=")
        if not equals or not line or not (units.isascii() and units.isdigit() and len(units) < 11):
            raise click.BadParameter(f"{text!r}: write LINE=UNITS", param_hint=option)
        if line in found:
            raise click.BadParameter(f"line {line!r} is named twice", param_hint=option)
        found[line] = int(units)
    return found


def texts_of(given: dict[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in given.items() if value not in (None, ())}
