"""The rules of the plugin, on packets in memory: which hook is called when, and what its decision leads to.

One module per part of a connection's life, as in `crates/engine` of the plugin, whose rules these are. The
conformance tests run the same scenarios through both and compare.
"""
