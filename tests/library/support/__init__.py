"""Servers, hosts and processes for the tests of the Python library in a real proxy."""
