"""Do all rule engines give the same masks? Random tests and facts, few values, close together.

    python benchmarks/engines_fuzz.py --cases 100000 --seed 7

A case is made from (seed, number) alone, so one line replays it. Compared are the python engine,
the durable engine where it can be imported, and the plain evaluator of `explain`. Exits with 1
at the first difference.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence

from attrs import frozen

from domcore.errors import ConfigurationError
from domcore.rules.engines.durable import DurableEngine, available
from domcore.rules.engines.explain import first_failing, holds
from domcore.rules.engines.protocol import (
    All,
    Any,
    FieldType,
    FlatFact,
    FlatValue,
    Leaf,
    Not,
    RuleEngine,
    Test,
)
from domcore.rules.engines.python import PythonEngine

NAMES = (
    "node.kind", "order.value", "line.tags", "z", "f0", "a.b", "", "é", '"',
    "x y", "import os", "None", "m", "n" * 300,
)  # fmt: skip
INTS = (
    0, 1, -1, 2, 5, 10, 200_000_000, 9_200_000_000_000_000,
    2**53 - 1, 2**53, 2**53 + 1, -(2**53), -(2**53) - 1,
)  # fmt: skip
STRINGS = (
    "", "5", "abc", "ab", "a", "a!", "a ", " ", "A", "z", "é", "ß", "日本", "😀", "\uffff",
    '"', "'", "\\", "\n", "\t", "null", "true", "x" * 999, "x" * 1_000,
)  # fmt: skip
ORDERED = ("eq", "ne", "lt", "lte", "gt", "gte", "exists", "missing")
UNORDERED = ("eq", "ne", "exists", "missing")


@frozen(slots=True)
class Case:
    """Tests over declared fields, and batches of facts for one matcher, in turn."""

    fields: dict[str, FieldType]
    tests: list[Test]
    batches: list[list[FlatFact]]
    remember: int


class Maker:
    """Makes the parts of one case from one generator."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        kinds: tuple[FieldType, ...] = ("int", "str", "bool")
        names = rng.sample(NAMES, rng.randint(1, 8))
        self.fields: dict[str, FieldType] = {name: rng.choice(kinds) for name in names}
        # Few values per case, so that facts and constants meet.
        self.ints = rng.sample(INTS, 5)
        self.strings = rng.sample(STRINGS, 5)

    def value(self, kind: FieldType) -> FlatValue:
        rng = self.rng
        if kind == "bool":
            return rng.random() < 0.5
        if kind == "int":
            return rng.choice(self.ints) + rng.choice((0, 0, 0, 1, -1))
        return rng.choice(self.strings) + rng.choice(("", "", "", "!", "a"))

    def leaf(self) -> Leaf:
        rng = self.rng
        field = rng.choice(list(self.fields))
        kind = self.fields[field]
        op = rng.choice(UNORDERED if kind == "bool" else ORDERED)
        if op in ("exists", "missing"):
            return Leaf(field, op)  # type: ignore[arg-type]
        if rng.random() < 0.25:
            same = [name for name, other in self.fields.items() if other == kind]
            return Leaf(field, op, ref=rng.choice(same))  # type: ignore[arg-type]
        return Leaf(field, op, self.value(kind))  # type: ignore[arg-type]

    def test(self, depth: int) -> Test:
        rng = self.rng
        roll = rng.random()
        if depth == 0 or roll < 0.35:
            return self.leaf()
        if roll < 0.55:
            return Not(self.test(depth - 1))
        width = rng.choice((0, 1, 2, 2, 2, 3, 4))
        parts = tuple(self.test(depth - 1) for _ in range(width))
        return All(parts) if rng.random() < 0.5 else Any(parts)

    def odd_test(self) -> Test:
        """The shapes that chance alone would hardly make."""
        rng = self.rng
        roll = rng.randrange(4)
        if roll == 0:
            field = rng.choice(list(self.fields))
            kind = self.fields[field]
            some = tuple(Leaf(field, "eq", self.value(kind)) for _ in range(rng.randint(5, 90)))
            return rng.choice((Any(some), Not(Any(some)), All((self.leaf(), Not(Any(some))))))
        if roll == 1:
            test: Test = self.test(2)
            for _ in range(rng.randint(1, 100)):
                test = rng.choice((Not(test), All((test,)), Any((test,))))
            return test
        if roll == 2:
            shared = self.test(2)
            for _ in range(rng.randint(1, 6)):
                shared = rng.choice((All((shared, shared)), Any((shared, self.leaf(), shared))))
            return shared
        return Any(tuple(self.leaf() for _ in range(rng.randint(5, 80))))

    def fact(self) -> FlatFact:
        rng = self.rng
        fact: dict[str, FlatValue] = {
            name: self.value(kind) for name, kind in self.fields.items() if rng.random() < 0.7
        }
        if rng.random() < 0.1:
            fact["not declared"] = rng.choice(STRINGS)
        return fact


def make_case(seed: int, number: int) -> Case:
    """The case of that seed and number, always the same."""
    rng = random.Random(f"{seed}/{number}")
    maker = Maker(rng)
    # One in fifty is a pack large enough for several shards.
    count = rng.randint(60, 130) if rng.random() < 0.02 else rng.randint(0, 5)
    tests = [
        maker.odd_test() if rng.random() < 0.1 else maker.test(rng.randint(0, 4))
        for _ in range(count)
    ]
    batches = []
    for _ in range(rng.randint(1, 3)):
        facts = [maker.fact() for _ in range(rng.choice((0, 1, 1, 2, 3, 6)))]
        batches.append(facts + rng.choices(facts, k=rng.choice((0, 0, 2))) if facts else [])
    return Case(maker.fields, tests, batches, rng.choice((0, 0, 3, 4_096)))


def difference(case: Case, seen: Counter[str]) -> str | None:
    """What the engines disagree on, or None. Adds what was compared to `seen`."""
    expected = [
        [sum(holds(test, fact) << i for i, test in enumerate(case.tests)) for fact in facts]
        for facts in case.batches
    ]
    for facts in case.batches:
        for fact in facts:
            for test in case.tests:
                if (first_failing(test, fact) is None) is not holds(test, fact):
                    return f"first_failing and holds disagree on {test!r:.300}"
    engines: list[RuleEngine] = [PythonEngine()]
    if available()[0]:
        engines.append(DurableEngine(remember=case.remember))
    for engine in engines:
        problem = _compare(engine, case, expected, seen)
        if problem:
            return problem
    seen["cases"] += 1
    seen["matches"] += sum(mask.bit_count() for masks in expected for mask in masks)
    return None


def _compare(
    engine: RuleEngine, case: Case, expected: list[list[int]], seen: Counter[str]
) -> str | None:
    try:
        matcher = engine.compile(case.tests, case.fields)
    except ConfigurationError as error:
        # Only durable may refuse what the python engine takes, and only for its size.
        if engine.name == "durable" and "multiplied out" in error.message:
            seen["refused by durable"] += 1
            return None
        return f"{engine.name} refuses: {error!s:.300}"
    try:
        for facts, masks in zip(case.batches, expected, strict=True):
            found = matcher.match(facts)
            if found != masks:
                return f"{engine.name}: {found} instead of {masks} for {facts!r:.1000}"
        if getattr(matcher, "retired", False):
            return f"{engine.name}: the C module failed"
    finally:
        matcher.close()
    seen[engine.name] += 1
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare the rule engines on random cases.")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, printed")
    parser.add_argument("--only", type=int, default=None, help="replay this one case")
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    usable, reason = available()
    print(f"seed {seed}; durable engine: {'yes' if usable else reason}")
    numbers = range(options.cases) if options.only is None else [options.only]
    seen: Counter[str] = Counter()
    start = time.perf_counter()
    for number in numbers:
        case = make_case(seed, number)
        problem = difference(case, seen)
        if problem:
            print(f"case {number}: {problem}")
            print(f"replay: python benchmarks/engines_fuzz.py --seed {seed} --only {number}")
            return 1
        if number and number % 10_000 == 0:
            print(f"{number} cases, {time.perf_counter() - start:.0f} s", flush=True)
    print(f"no difference in {time.perf_counter() - start:.0f} s: {dict(seen)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
