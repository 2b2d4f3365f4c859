"""Runs a scenario twice, in `pyproxy.testing` and in the real plugin, and tells what happened in the same words."""
