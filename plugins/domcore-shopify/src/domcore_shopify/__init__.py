"""Orders from Shopify for domcore.

`domcore_shopify.signing` signs and checks deliveries; `domcore_shopify.channel` reads them;
`domcore_shopify.plugin` is what domcore loads. Nothing is imported here, so that loading the
plugin stays quick.
"""
