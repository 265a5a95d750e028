"""Rule engines behind one protocol (`protocol`).

* `python`: generated Python, always there.
* `durable`: the safe subset of durable_rules, where its C module can be imported.
* `explain`: a plain evaluator that says which leaf decided; the yardstick for both.

Nothing is imported here: a process that never matches a rule pays for no engine.
"""
