"""What `pyproxy.hooks.firewall` is made of."""
