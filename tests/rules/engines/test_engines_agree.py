"""A slice, with fixed seeds, of what `benchmarks/engines_fuzz.py` runs at length."""

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

FUZZ = Path(__file__).parents[3] / "benchmarks" / "engines_fuzz.py"


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("engines_fuzz", FUZZ)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_engines_agree_on_random_rules_and_facts(fuzz: ModuleType, seed: int):
    seen: Counter[str] = Counter()
    for number in range(700):
        problem = fuzz.difference(fuzz.make_case(seed, number), seen)
        assert problem is None, f"{problem}\nreplay: python {FUZZ} --seed {seed} --only {number}"
    assert seen["matches"] > 1_000


def test_a_difference_is_reported_with_the_line_that_replays_it(
    fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(fuzz, "holds", lambda test, fact: False)
    monkeypatch.setattr(fuzz, "first_failing", lambda test, fact: test)
    assert fuzz.main(["--cases", "50", "--seed", "5"]) == 1
    assert "replay: python benchmarks/engines_fuzz.py --seed 5 --only" in capsys.readouterr().out
