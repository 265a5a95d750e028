"""Places postal codes of over a hundred countries for domcore.

`domcore_postal.plugin` is what domcore loads; `domcore_postal.sources` reads the installed data;
`domcore_postal.resolving` decides where each code lies; `domcore_postal.index` keeps that in one
file; `domcore_postal.geocoder` looks it up. Nothing is imported here, so that loading the plugin
stays quick.
"""
