"""Amazon Multi-Channel Fulfillment as a connector of domcore, with live quotes for planning.

`domcore_amazon_mcf.plugin` is what domcore loads; `domcore_amazon_mcf.connector` hands work over;
`domcore_amazon_mcf.options` reads its settings. Nothing is imported here, so that loading the
plugin stays quick.
"""
