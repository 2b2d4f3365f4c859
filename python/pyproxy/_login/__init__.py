"""What `pyproxy.hooks.login_mapping` is made of."""
