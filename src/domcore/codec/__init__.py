"""Reading what comes from outside: bytes to JSON values (`intake`), values to classes (`strict`).

Nothing is imported here: `domcore.codec.strict` pulls in cattrs, which is slow to load.
"""
