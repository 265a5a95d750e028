"""Who caused what: the short name that commands and events carry as `by`.

=====================  ==================================================================
``person:anna``        a person, by a login or another short name; never a customer
``channel:web``        what a channel brought; ``channel:web/anna``: and whom it names
``connector:north``    the word of a node or partner
``plugin:fraud``       a plugin by itself
``worker``             `Domcore.work`: what is due
``host``               the application domcore is embedded in, where it says nothing else
=====================  ==================================================================

A host may use names of its own. An empty one is that of an event from before there were any.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from attrs import evolve

from domcore.errors import PayloadError, Problem

MOST_OF_BY: Final = 100
"""Letters of such a name."""

HOST: Final = "host"
WORKER: Final = "worker"

C = TypeVar("C")


def checked_by(by: object) -> str:
    """The name, where it can be kept and shown.

    Raises:
        PayloadError: it is no text, is too long, or has letters that cannot be printed.
    """
    if type(by) is str and len(by) <= MOST_OF_BY and by.isprintable():
        return by
    message = f"must be text of at most {MOST_OF_BY} printable letters, such as 'person:anna'"
    raise PayloadError("nothing is done in this name", [Problem("$.by", message)])


def actor(kind: str, name: str) -> str:
    """``kind:name``, cut to what can be kept: configured names may be of any length."""
    return _clipped(f"{kind}:{name}")


def brought(command: C, by: str) -> C:
    """A command that came from outside: whom it names itself stands behind who brought it, so that
    no stranger speaks in another's name.

    Raises:
        PayloadError: what it names is no name.
    """
    told: Any = command
    named = checked_by(told.by)
    return evolve(told, by=_clipped(f"{by}/{named}")) if named else command


def _clipped(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[:MOST_OF_BY]
