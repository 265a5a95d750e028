from collections.abc import Iterator

import pytest

from domcore.rules.engines.durable import DurableEngine, EngineModule, available, load_module
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.engines.python import PythonEngine


@pytest.fixture
def durable_module() -> EngineModule:
    usable, reason = available()
    if not usable:
        pytest.skip(reason)
    return load_module()


@pytest.fixture(params=["python", "durable", "durable without memory"])
def engine(request: pytest.FixtureRequest) -> Iterator[RuleEngine]:
    """Each engine in turn: whatever a test says of one must hold of all."""
    if request.param == "python":
        yield PythonEngine()
        return
    module = request.getfixturevalue("durable_module")
    yield DurableEngine(module, remember=0 if "without" in request.param else 4_096)
