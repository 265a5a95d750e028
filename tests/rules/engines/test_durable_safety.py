"""What reaches durable_rules is small, closed and of our own making.

Some inputs kill or hang it (docs/design/0003 says which kinds). None of them is here: every guard
is shown by harmless input that it treats for the same reason, and a watcher stands before the C
module.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from domcore.errors import ConfigurationError
from domcore.rules.engines.branches import MAX_COLUMNS
from domcore.rules.engines.codes import Atom, Coder
from domcore.rules.engines.durable import BATCH, SHARD, DurableEngine, _Shard
from domcore.rules.engines.explain import holds
from domcore.rules.engines.protocol import All, Any, Leaf, Not
from domcore.rules.engines.terms import normal_forms

ATOM = r'\{"\$(gte|lt|eq|neq)":\{"f\d+":-?\d+\}\}'
CONDITION = rf'"\d+":\{{"all":\[\{{"m":\{{"\$and":\[{ATOM}(,{ATOM})*\]\}}\}}\],"cap":128\}}'
RULES = re.compile(rf'\{{({CONDITION},)*"z":\{{"all":\[\{{"m":\{{"z":1\}}\}}\]\}}\}}')
FACT = r'\{"id":"\d+"(,"f\d+":-?\d+)+\}'
FACTS = re.compile(rf'\[({FACT},)+\{{"id":"z","z":1\}}\]')


class Watcher:
    """Stands before the C module, passes on only the seven functions, checks each call."""

    def __init__(self, module) -> None:
        self.module = module
        self.rulesets: set[int] = set()
        self.sessions: set[int] = set()
        self.started: set[int] = set()
        self.calls = 0

    def create_ruleset(self, name: str, rules: str) -> int:
        assert RULES.fullmatch(rules), rules
        assert rules.count('"cap"') <= SHARD
        handle = self.module.create_ruleset(name, rules)
        self.rulesets.add(handle)
        return handle

    def delete_ruleset(self, handle: int) -> None:
        self.rulesets.remove(handle)
        assert handle not in self.sessions
        self.module.delete_ruleset(handle)

    def assert_facts(self, handle: int, facts: str) -> tuple[int, int]:
        assert FACTS.fullmatch(facts), facts[:500]
        assert facts.count('"id"') <= BATCH + 1
        assert handle in self.rulesets
        assert handle not in self.sessions
        self.sessions.add(handle)
        self.calls += 1
        return self.module.assert_facts(handle, facts)

    def start_action_for_state(self, handle: int, session: int):
        assert handle in self.sessions
        started = self.module.start_action_for_state(handle, session)
        assert started is not None
        self.started.add(handle)
        return started

    def complete_and_start_action(self, handle: int, session: int):
        assert handle in self.started
        return self.module.complete_and_start_action(handle, session)

    def abandon_action(self, handle: int, session: int) -> None:
        assert handle in self.started
        self.module.abandon_action(handle, session)

    def delete_state(self, handle: int, sid: str | None) -> None:
        assert sid is None
        self.started.remove(handle)
        self.sessions.remove(handle)
        self.module.delete_state(handle, sid)


@pytest.fixture
def watcher(durable_module) -> Watcher:
    return Watcher(durable_module)


FIELDS = {"n": "int", "m": "int", "s": "str", "b": "bool"}
TESTS = [
    Leaf("n", "lt", -1_250_000),
    All((Leaf("n", "gte", 12_500_000), Leaf("s", "ne", "a 'quoted' word"))),
    Not(Any((Leaf("n", "lte", ref="m"), Leaf("s", "missing"), Leaf("b", "ne", True)))),
    Any((Leaf("m", "exists"), Not(Leaf("s", "eq", "Grüße")))),
]
FACTS_IN = [{"n": -2_000_000}, {"n": 12_500_000, "m": 1, "s": "x"}, {"s": "Grüße", "b": True}]


def test_the_c_module_sees_small_numbers_and_names_of_ours_only(watcher):
    matcher = DurableEngine(watcher).compile(TESTS, FIELDS)
    matcher.match(FACTS_IN)
    assert watcher.calls == 1
    matcher.close()
    assert not watcher.rulesets


def test_one_session_lives_at_a_time_and_only_within_a_call(watcher):
    matcher = DurableEngine(watcher, remember=0).compile(TESTS, FIELDS)
    for _ in range(200):
        matcher.match(FACTS_IN)
        assert not watcher.sessions
    assert watcher.calls == 200
    matcher.close()


def test_known_facts_are_not_asked_again(watcher):
    matcher = DurableEngine(watcher).compile(TESTS, FIELDS)
    first = matcher.match(FACTS_IN)
    assert matcher.match(FACTS_IN[::-1]) == first[::-1]
    assert watcher.calls == 1
    matcher.close()


def test_the_memory_is_bounded_and_forgets_the_oldest(watcher):
    matcher = DurableEngine(watcher, remember=2).compile([Leaf("n", "eq", 1)], FIELDS)
    tests = [Leaf("n", "eq", i) for i in range(10)]
    matcher.close()
    matcher = DurableEngine(watcher, remember=2).compile(tests, FIELDS)
    for i in (0, 1, 0, 2):
        matcher.match([{"n": i}])
    assert watcher.calls == 3
    matcher.match([{"n": 0}, {"n": 2}])
    assert watcher.calls == 3
    matcher.match([{"n": 1}])
    assert watcher.calls == 4
    matcher.match([{"n": i} for i in range(10)])
    assert len(matcher._memory) == 2
    matcher.close()


def test_where_there_is_nothing_to_ask_nothing_is_asked(watcher):
    matcher = DurableEngine(watcher).compile(TESTS, FIELDS)
    assert matcher.match([]) == []
    assert watcher.calls == 0
    matcher.close()


def test_a_matcher_that_is_dropped_gives_back_its_rulesets(watcher):
    matcher = DurableEngine(watcher).compile(TESTS, FIELDS)
    assert watcher.rulesets
    del matcher
    assert not watcher.rulesets


def test_rules_refused_half_way_leak_nothing(watcher):
    create = watcher.create_ruleset

    def fails_the_second_time(name: str, rules: str) -> int:
        if watcher.rulesets:
            raise MemoryError
        return create(name, rules)

    watcher.create_ruleset = fails_the_second_time
    tests = [Leaf("n", "eq", i) for i in range(SHARD + 1)]
    with pytest.raises(ConfigurationError, match="refused the rules"):
        DurableEngine(watcher).compile(tests, FIELDS)
    assert not watcher.rulesets


def test_more_facts_than_a_session_takes_are_asked_in_batches(watcher):
    matcher = DurableEngine(watcher).compile(
        [Leaf("n", "gte", i) for i in range(2)] + [Leaf("m", "gte", i) for i in range(SHARD)],
        FIELDS,
    )
    facts = [{"n": n, "m": m} for n in range(2) for m in range(SHARD)]
    facts += [{"m": m} for m in range(SHARD)]
    assert BATCH < len(facts) < 2 * BATCH
    expected = [
        sum(holds(test, fact) << at for at, test in enumerate(matcher._tests)) for fact in facts
    ]
    assert matcher.match(facts) == expected
    # Two rulesets, each asked in two sessions.
    assert watcher.calls == 4
    matcher.close()


def test_conditions_beyond_one_ruleset_may_hold_at_once(watcher):
    count = SHARD + 10
    matcher = DurableEngine(watcher).compile([Leaf("n", "gte", i) for i in range(count)], FIELDS)
    assert len(watcher.rulesets) == 2
    assert matcher.match([{"n": count}] * 3 + [{"n": 0}]) == [2**count - 1] * 3 + [1]
    matcher.close()


def test_equal_conditions_of_many_rules_are_one(watcher):
    count = SHARD + 10
    matcher = DurableEngine(watcher).compile([Leaf("n", "gt", 0)] * count, FIELDS)
    assert len(watcher.rulesets) == 1
    assert [len(shard.masks) for shard in matcher._shards] == [1]
    assert matcher.match([{"n": 1}, {"n": 0}]) == [2**count - 1, 0]
    matcher.close()


def test_more_fields_than_a_fact_of_the_engine_holds(watcher):
    fields = {f"field {i}": "int" for i in range(MAX_COLUMNS + 1)}
    tests = [Leaf(name, "eq", 1) for name in fields]
    matcher = DurableEngine(watcher).compile(tests, fields)
    assert all(len(shard.columns) <= MAX_COLUMNS for shard in matcher._shards)
    last = f"field {MAX_COLUMNS}"
    assert matcher.match([dict.fromkeys(fields, 1), {last: 1}]) == [
        2 ** (MAX_COLUMNS + 1) - 1,
        1 << MAX_COLUMNS,
    ]
    matcher.close()


def test_no_host_is_made_and_no_thread_is_started():
    pytest.importorskip("durable_rules_engine", exc_type=ImportError)
    code = """
import sys, threading
from domcore.rules.engines.durable import DurableEngine
from domcore.rules.engines.protocol import Leaf
matcher = DurableEngine().compile([Leaf("n", "gt", 0)], {"n": "int"})
assert matcher.match([{"n": 1}]) == [1]
assert threading.active_count() == 1
assert not [name for name in sys.modules if name == "durable" or name.startswith("durable.")]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_and_identities_do_not_collide():
    """durable_rules tells properties and facts apart by a 32-bit hash and nothing else."""

    def fnv(text: str) -> int:
        value = 0x811C9DC5
        for byte in text.encode():
            value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
        return value

    names = [f"f{i}" for i in range(2 * MAX_COLUMNS)] + ["id", "sid", "$s", "z"]
    assert len(set(map(fnv, names))) == len(names)
    identities = [str(i) for i in range(BATCH)] + ["z", "sid-0"]
    assert len(set(map(fnv, identities))) == len(identities)


def test_a_comparison_counts_from_the_end_that_keeps_missing_false(durable_module):
    coder = Coder(normal_forms([Leaf("n", "lt", 5), Leaf("n", "gt", 5)], {"n": "int"}))
    less, greater = Atom(0, True, "gte", 2), Atom(0, False, "gte", 2)
    shard = _Shard(durable_module, [(frozenset({less}), 1), (frozenset({greater}), 2)], coder)
    masks = [0, 0, 0, 0]
    shard.run([coder.key(fact) for fact in ({"n": 4}, {"n": 5}, {"n": 6}, {})], masks)
    durable_module.delete_ruleset(shard.handle)
    assert masks == [1, 0, 2, 0]


def resident_kib() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_stays_flat_over_many_matches(durable_module):
    matcher = DurableEngine(durable_module, remember=0).compile(TESTS, FIELDS)
    for _ in range(500):
        matcher.match(FACTS_IN)
    before = resident_kib()
    for _ in range(2_000):
        matcher.match(FACTS_IN)
    # Left undeleted the sessions would be more than 20 MiB.
    assert resident_kib() - before < 2_048
    matcher.close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_stays_flat_over_many_matchers(durable_module):
    def once() -> None:
        matcher = DurableEngine(durable_module).compile(
            [Leaf("n", "eq", i) for i in range(100)], FIELDS
        )
        matcher.match([{"n": 5}])
        matcher.close()

    for _ in range(50):
        once()
    before = resident_kib()
    for _ in range(300):
        once()
    # Left undeleted they would be about 150 MiB.
    assert resident_kib() - before < 8_192
