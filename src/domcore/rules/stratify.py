"""Strata of a checked program, with a cycle told in the words of a configuration error."""

from __future__ import annotations

from typing import Final

from domcore.errors import ConfigurationError
from domcore.rules.compiler import Checked
from domcore.rules.strata import Derivation, NegativeCycle, Strata, derived_reads, stratify

MOST_LEVELS: Final = 64
"""Levels of chaining; each is a round of matching for every order."""


def strata_of(checked: Checked) -> Strata:
    """The levels of all facts that rules set.

    Raises:
        ConfigurationError: a cycle through a negation, naming the rules on it, or too deep a chain.
    """
    derivations = [
        Derivation(
            rule.address, fact, tuple(sorted(set(derived_reads(rule.condition, checked.derived))))
        )
        for rule in checked.rules
        if rule.rule.verb == "set"
        for fact in rule.arguments
    ]
    try:
        strata = stratify(derivations)
    except NegativeCycle as cycle:
        raise ConfigurationError(
            f"{' and '.join(cycle.rules)} form a cycle through a negation: {cycle};"
            " drop the 'not', or derive the fact from something that is given",
            source="rule packs",
            place=", ".join(cycle.facts),
        ) from None
    deepest = max(strata.levels.values(), default=0)
    if deepest >= MOST_LEVELS:
        fact = next(name for name, level in strata.levels.items() if level == deepest)
        raise ConfigurationError(
            f"facts that rules set build on each other {deepest + 1} levels deep,"
            f" at most {MOST_LEVELS} are allowed",
            source="rule packs",
            place=fact,
        )
    return strata
