"""The project file that ``domcore init`` writes."""

from __future__ import annotations

from typing import Final

TEMPLATE: Final = """\
# A domcore project. Every setting is explained in docs/configuration.md;
# `domcore config` shows what is in force and where it came from.

store = "domcore.db"
rulesets = ["rulesets"]

[owners]
main = "USD"

[routing]
objective = ["cost"]

# The rule packs in force. `domcore rulesets list` shows which there are.
[[activate]]
pack = "cost-first"
layer = "core"

# Where orders come from. The client secret stays in the environment.
# [channels.shop]
# kind = "shopify"
# secrets = ["env:SHOPIFY_SECRET"]
"""
