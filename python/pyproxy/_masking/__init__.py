"""What `pyproxy.hooks.masking` is made of."""
