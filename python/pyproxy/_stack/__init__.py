"""Stacked scripts, for `pyproxy.hooks.load_multi`."""
