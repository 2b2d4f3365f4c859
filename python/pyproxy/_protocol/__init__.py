"""What `pyproxy.proto` is made of."""
