import time

from domcore.rules.engines.protocol import All, Any, Leaf, Not
from domcore.rules.engines.python import PythonEngine


def test_a_pack_of_thousands_of_leaves_compiles():
    fields = {f"f{i}": "int" for i in range(50)}
    tests = [All(tuple(Leaf(f"f{(i + j) % 50}", "gte", j) for j in range(50))) for i in range(100)]
    matcher = PythonEngine().compile(tests, fields)
    assert matcher.match([{f"f{i}": 99 for i in range(50)}, {}]) == [2**100 - 1, 0]


def test_one_test_of_two_hundred_leaves_compiles():
    leaves = tuple(Leaf("n", "eq", i) for i in range(200))
    matcher = PythonEngine().compile([Any(leaves), Not(Any(leaves))], {"n": "int"})
    assert matcher.match([{"n": 199}, {"n": 200}]) == [1, 2]


def test_a_hundred_tests_match_in_microseconds():
    fields = {f"f{i}": "int" for i in range(20)}
    tests = [
        All(tuple(Leaf(f"f{(i * 7 + j) % 20}", "gte", j) for j in range(3))) for i in range(100)
    ]
    matcher = PythonEngine().compile(tests, fields)
    fact = [{f"f{i}": 5 for i in range(20)}]
    took = []
    for _ in range(50):
        start = time.process_time()
        for _ in range(20):
            matcher.match(fact)
        took.append((time.process_time() - start) / 20)
    # About 10 us where every leaf is true; the bound is for a crowded machine.
    assert min(took) < 100e-6


def test_nothing_from_a_rule_reaches_the_generated_text():
    evil = '"); __import__("os").abort(); ("'
    matcher = PythonEngine().compile([Leaf(evil, "eq", evil)], {evil: "str"})
    assert matcher.match([{evil: evil}, {evil: "x"}]) == [1, 0]
