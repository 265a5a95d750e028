"""The conformance suite for rule packs: subclass it beside the pack and name its folder.

::

    class TestHouseRules(PackSuite):
        folder = Path(__file__).parent / "house"
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from domcore.rules.case_reading import load_cases
from domcore.rules.cases import run_cases
from domcore.rules.engines.protocol import RuleEngine
from domcore.rules.engines.python import PythonEngine
from domcore.rules.facts import FactRegistry
from domcore.rules.loader import load_pack, parse_pack
from domcore.rules.pack import Activation, pack_bytes
from domcore.rules.program import compile_program
from domcore.sourcing.casework import case_planner


class PackSuite:
    """What every pack must do. Set `folder`; `facts` where it reads those of plugins."""

    folder: ClassVar[Path]
    facts: ClassVar[FactRegistry] = FactRegistry()

    def engine(self) -> RuleEngine:
        """The engine to run on; override it to try another."""
        return PythonEngine()

    def test_it_loads_and_compiles(self) -> None:
        """The pack is well formed, and every fact, type and verb in it exists."""
        pack = load_pack(self.folder)
        active = [(pack, Activation(pack.name))]
        compile_program(active, engine=self.engine(), facts=self.facts).close()

    def test_it_says_what_its_cases_expect(self) -> None:
        """Every case holds down to the plan, and every rule is fired by some case."""
        pack = load_pack(self.folder)
        cases = load_cases(self.folder, pack, self.facts)
        engine = self.engine()
        plan = case_planner(pack, engine=engine, facts=self.facts)
        failures = run_cases(pack, cases, engine=engine, facts=self.facts, plan=plan)
        assert failures == (), "\n".join(failures)

    def test_it_is_the_same_pack_when_read_back_from_its_own_bytes(self) -> None:
        """Decisions keep packs as bytes; nothing may be lost in them."""
        pack = load_pack(self.folder)
        assert parse_pack(json.loads(pack_bytes(pack))) == pack
