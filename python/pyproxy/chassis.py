"""What a script may ask of the program it runs in: outside a proxy, the calls are kept for the test that made them.

Inside the proxy the plugin has a module of this name that asks the host. Lines that are logged while no script runs go to
Python's logger `pyproxy`.
"""

from pyproxy._native._chassis import *  # noqa: F403 - the functions that the stub has
