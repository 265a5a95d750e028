"""Orders, stock, work and news as files in folders, for domcore.

`domcore_files.plugin` is what domcore loads; `domcore_files.channel` and
`domcore_files.connector` are what it brings; `domcore_files.inbox` takes files in, each at least
once and none twice in effect. Nothing is imported here, so that loading the plugin stays quick.
"""
