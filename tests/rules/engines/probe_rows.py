"""Feeds the durable engine, through its public API, what kills durable_rules when fed raw.

Run as a program: it prints ``row N ok`` as it goes, so that a crash shows by what is missing.
The numbers are those of the table "inputs that kill or hang the interpreter" in the tests.
"""

import gc
import sys
import threading

from domcore.errors import ConfigurationError
from domcore.rules.engines.durable import DurableEngine, DurableMatcher
from domcore.rules.engines.explain import holds
from domcore.rules.engines.protocol import All, Any, FlatFact, Leaf, Not, Test

FIELDS = {"k": "str", "v": "int", "w": "int", "s": "str"}


def compiled(*tests: Test) -> DurableMatcher:
    return DurableEngine(remember=0).compile(tests, FIELDS)


def agree(tests: list[Test], facts: list[FlatFact]) -> None:
    """The engine survives, gives the right answer, and did not have to give up."""
    matcher = compiled(*tests)
    for _ in range(3):
        found = matcher.match(facts)
        assert found == [sum(holds(t, f) << i for i, t in enumerate(tests)) for f in facts]
    assert not matcher.retired
    matcher.close()


V = Leaf("v", "gt", 0)


def row_1() -> None:
    """An empty batch."""
    agree([V, Leaf("v", "missing")], [])


def row_2() -> None:
    """A batch whose first element does not parse: 1e-07 as text, and as a float."""
    agree([Leaf("s", "eq", "1e-07"), V], [{"s": "1e-07"}, {"s": "\ud800"}, {"v": 1e-07}])


def row_3() -> None:
    """Empty facts, first and later."""
    agree([V, Leaf("v", "missing")], [{}, {}])
    agree([V, Leaf("v", "missing")], [{"v": 1}, {}, {"v": 2}])


def row_4() -> None:
    """A comparison of two entities that is false at the end of an "all"."""
    agree([All((Leaf("k", "eq", "n"), Leaf("v", "gt", ref="w")))], [{"k": "n", "v": 1, "w": 2}])


def row_5() -> None:
    """Two comparisons of entities in an "any", and nothing else."""
    test = Any((Leaf("v", "gt", ref="w"), Leaf("v", "lt", ref="w")))
    agree([test, Not(test)], [{"v": 1, "w": 2}, {"v": 2, "w": 2}, {"v": 2}, {}])


def row_6() -> None:
    """Division: there is none, but its operands are harmless."""
    agree([Leaf("v", "eq", 0), Leaf("v", "lt", ref="w")], [{"v": 0, "w": -1}, {"v": -(2**63)}])


def row_7() -> None:
    """None meeting a value."""
    agree([Leaf("v", "eq", ref="w"), V], [{"v": None, "w": 1}, {"v": 1, "w": None}])


def row_8() -> None:
    """More than 1,024 sessions, and going on afterwards."""
    matcher = compiled(V)
    for i in range(5_000):
        assert matcher.match([{"v": i}]) == [int(i > 0)]
    matcher.close()


def row_9() -> None:
    """Deleting a session in which no rule matched, on a used heap."""
    matcher = compiled(V)
    for i in range(2_000):
        junk = [b"\xff" * (16 + i % 700) for _ in range(20)]
        assert matcher.match([{"v": 0}]) == [0]
        del junk
    matcher.close()


def row_10() -> None:
    """The default Host with its timer threads: never made, never even imported."""
    compiled(V).match([{"v": 1}])
    assert threading.active_count() == 1
    assert not [name for name in sys.modules if name == "durable" or name.startswith("durable.")]


def row_11() -> None:
    """257 and more rules with the same condition."""
    for count in (257, 300, 1_000):
        agree([V] * count, [{"v": 1}, {"v": 0}, {}])


def row_12() -> None:
    """512 and more different conditions."""
    for count in (511, 512, 600):
        agree([Leaf("v", "eq", i) for i in range(count)], [{"v": 511}, {"v": -1}])


def row_13() -> None:
    """Nesting 200,000 deep, in a test and in a value."""
    value = "[" * 200_000
    test: Test = Leaf("s", "eq", value)
    for _ in range(20_000):
        test = Not(All((test,)))
    agree([test], [{"s": value}, {"s": "{" * 200_000}])
    for _ in range(100_000):
        test = Not(All((test,)))
    try:
        compiled(test)
    except ConfigurationError:
        # Freeing a tree this deep must be survived as well.
        del test
        gc.collect()
    else:
        raise AssertionError("200,000 levels were accepted")


def row_14() -> None:
    """Rules that also match the record durable_rules writes after every action."""
    agree(
        [Leaf("v", "missing"), Leaf("s", "ne", "0"), All(()), Not(Leaf("k", "eq", "x"))],
        [{}, {"s": "1"}, {"k": "x"}],
    )
    names = ["sid", "id", "$s"]
    tests = [Not(Leaf(name, "eq", "0")) for name in names] + [Leaf(n, "exists") for n in names]
    matcher = DurableEngine().compile(tests, dict.fromkeys(names, "str"))
    assert matcher.match([{}, {"sid": "0"}]) == [0b111, 0b001110]
    matcher.close()


def row_15() -> None:
    """Callback setters end a lazily bound process: none is called by compiling and matching."""
    agree([V], [{"v": 1}])


ROWS = (
    row_1, row_2, row_3, row_4, row_5, row_6, row_7, row_8,
    row_9, row_10, row_11, row_12, row_13, row_14, row_15,
)  # fmt: skip

if __name__ == "__main__":
    for number, row in enumerate(ROWS, start=1):
        row()
        print(f"row {number} ok", flush=True)
