"""Rule packs as data: read, checked, compiled, and asked about one order after another.

::

    pack = load_pack("rulesets/ship-from-store")
    program = compile_program([(pack, Activation("ship-from-store"))], engine=PythonEngine())
    state = program.node_state(network.nodes)
    policy = program.judge(Request(order, lines, now), state)
"""

from domcore.rules.explain import Verdict
from domcore.rules.facts import FactRegistry
from domcore.rules.loader import load_pack, parse_pack
from domcore.rules.node_state import NodeState
from domcore.rules.pack import Activation, Pack, pack_bytes
from domcore.rules.program import Program, compile_program
from domcore.rules.request import EVERYWHERE, OpenLine, Request

__all__ = [
    "EVERYWHERE",
    "Activation",
    "FactRegistry",
    "NodeState",
    "OpenLine",
    "Pack",
    "Program",
    "Request",
    "Verdict",
    "compile_program",
    "load_pack",
    "pack_bytes",
    "parse_pack",
]
