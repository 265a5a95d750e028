"""When the C module cannot be used, or fails, the answers stay the same."""

import builtins
import importlib
import logging
import subprocess
import sys

import pytest

from domcore.errors import ConfigurationError
from domcore.rules.engines import durable
from domcore.rules.engines.branches import MAX_BRANCHES, MAX_COLUMNS
from domcore.rules.engines.durable import DurableEngine, available
from domcore.rules.engines.protocol import All, Any, Leaf, Not

FIELDS = {"n": "int", "s": "str"}
TESTS = [Leaf("n", "gt", 1), Not(Leaf("s", "eq", "a"))]
OPENED = ["assert_facts", "start_action_for_state"]


class Scripted:
    """A C module that does what the test says; records what is called."""

    def __init__(self, **overrides) -> None:
        self.calls: list[str] = []
        self.overrides = overrides

    def answer(self, name: str, default):
        self.calls.append(name)
        value = self.overrides.get(name, default)
        if isinstance(value, BaseException):
            raise value
        return value

    def create_ruleset(self, name, rules):
        return self.answer("create_ruleset", 1)

    def delete_ruleset(self, handle):
        return self.answer("delete_ruleset", None)

    def assert_facts(self, handle, facts):
        return self.answer("assert_facts", (0, 1))

    def start_action_for_state(self, handle, session):
        return self.answer("start_action_for_state", ("{}", '{"z":{"m":{"id":"z","z":1}}}'))

    def complete_and_start_action(self, handle, session):
        return self.answer("complete_and_start_action", None)

    def abandon_action(self, handle, session):
        return self.answer("abandon_action", None)

    def delete_state(self, handle, sid):
        return self.answer("delete_state", None)


@pytest.mark.parametrize(
    ("overrides", "calls"),
    [
        # Without an action that was started, the session must not be deleted: it is left alone.
        ({"assert_facts": RuntimeError("303")}, ["assert_facts"]),
        ({"start_action_for_state": None}, OPENED),
        (
            {"complete_and_start_action": RuntimeError("307")},
            [*OPENED, "complete_and_start_action", "abandon_action", "delete_state"],
        ),
        (
            {"complete_and_start_action": '{"0":[]}'},
            [*OPENED, *["complete_and_start_action"] * 3, "abandon_action", "delete_state"],
        ),
        (
            {"delete_state": RuntimeError("309")},
            [*OPENED, "complete_and_start_action", "delete_state"],
        ),
        ({"start_action_for_state": ("{}", "nonsense")}, None),
    ],
    ids=["assert", "no action", "complete", "endless", "delete", "nonsense"],
)
def test_a_failure_is_logged_once_and_python_goes_on(caplog, overrides, calls):
    module = Scripted(**overrides)
    matcher = DurableEngine(module).compile(TESTS, FIELDS)
    module.calls.clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert matcher.match([{"n": 2}, {"s": "a"}, {}]) == [3, 0, 2]
    assert len(caplog.records) == 1
    assert "goes on with the python engine" in caplog.text
    if calls is not None:
        assert module.calls == calls
    matcher.close()
    assert module.calls[-1] == "delete_ruleset"


def test_an_interrupted_call_is_cleaned_up_and_passed_on():
    module = Scripted(complete_and_start_action=KeyboardInterrupt())
    matcher = DurableEngine(module).compile(TESTS, FIELDS)
    with pytest.raises(KeyboardInterrupt):
        matcher.match([{"n": 2}])
    assert module.calls[-2:] == ["abandon_action", "delete_state"]
    matcher.close()


def test_an_interrupt_that_leaves_a_session_behind_never_gives_a_wrong_answer(caplog):
    module = Scripted(assert_facts=KeyboardInterrupt())
    matcher = DurableEngine(module).compile(TESTS, FIELDS)
    with pytest.raises(KeyboardInterrupt):
        matcher.match([{"n": 2}])
    module.overrides.clear()
    assert matcher.match([{"n": 2}]) == [3]
    assert "still open" in caplog.text
    matcher.close()


def test_where_it_cannot_be_imported_it_says_how_to_get_it(monkeypatch):
    def missing(name: str):
        raise ImportError("undefined symbol: PyEval_CallObject")

    monkeypatch.setattr(importlib, "import_module", missing)
    usable, reason = available()
    assert not usable
    assert "undefined symbol" in reason
    assert "CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject" in reason
    with pytest.raises(ConfigurationError, match="choose the engine 'python'"):
        DurableEngine().compile(TESTS, FIELDS)


@pytest.mark.skipif(not hasattr(sys, "setdlopenflags"), reason="no lazy binding here")
def test_a_module_that_does_not_bind_at_once_is_bound_lazily(monkeypatch):
    flags = sys.getdlopenflags()
    seen = []

    def second_time(name: str):
        seen.append(sys.getdlopenflags())
        if len(seen) == 1:
            raise ImportError("undefined symbol: PyEval_CallObject")
        return builtins

    monkeypatch.setattr(importlib, "import_module", second_time)
    assert durable.load_module() is builtins
    assert seen[0] == flags
    assert seen[1] != flags
    assert sys.getdlopenflags() == flags


def test_importing_the_engines_imports_no_c_module():
    code = (
        "import sys, domcore.rules.engines, domcore.rules.engines.durable\n"
        "assert 'durable_rules_engine' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_too_many_alternatives_are_refused_by_durable(durable_module):
    fields = {f"f{i}": "int" for i in range(MAX_COLUMNS + 1)}
    pairs = [(Leaf(f"f{2 * i}", "eq", 1), Leaf(f"f{2 * i + 1}", "eq", 1)) for i in range(14)]
    # The first half multiplies out badly as it is written (2**7 branches, where 64 are taken), the
    # second half when negated.
    both = All((All(tuple(map(Any, pairs[:7]))), Any(tuple(map(All, pairs[7:])))))
    wide = All(tuple(Leaf(name, "eq", 1) for name in fields))
    for test in (both, wide):
        with pytest.raises(ConfigurationError, match="multiplied out") as error:
            DurableEngine(durable_module).compile([Leaf("f0", "eq", 1), test], fields)
        assert error.value.place == "test 1"


def test_a_long_or_over_many_fields_is_matched_by_its_negation(durable_module):
    fields = {f"f{i}": "int" for i in range(MAX_BRANCHES + 1)}
    matcher = DurableEngine(durable_module).compile(
        [Any(tuple(Leaf(name, "eq", 1) for name in fields))], fields
    )
    assert matcher.match([{"f64": 1}, {"f0": 2}, {"f1": 3}]) == [1, 0, 0]
    matcher.close()
