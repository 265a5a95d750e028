"""WooCommerce for domcore.

`domcore_woocommerce.signing` signs and checks deliveries; `domcore_woocommerce.channel` reads them;
`domcore_woocommerce.shop` asks and tells; `domcore_woocommerce.plugin` is what domcore loads.
Nothing is imported here, so that loading the plugin stays quick.
"""
