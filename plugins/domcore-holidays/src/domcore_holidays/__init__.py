"""Closed days of nodes as facts for domcore's rules.

`domcore_holidays.plugin` is what domcore loads; `domcore_holidays.options` reads its settings;
`domcore_holidays.calendar` says when a node is closed. Nothing is imported here, so that loading
the plugin stays quick.
"""
