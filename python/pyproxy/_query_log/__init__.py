"""What `pyproxy.hooks.query_log` is made of."""
