"""The objects and constants of the MySQL proxy this script runs in.

Inside the proxy they are the plugin's own. Outside, in tests and on a desk, they are objects in Python of the same
names and the same behaviour, with which `pyproxy.testing` runs hook functions.
"""

from importlib.util import find_spec as _find_spec

if _find_spec("pyproxy._plugin") is not None:
    from pyproxy._plugin import *  # noqa: F403 - every class and constant
else:
    from pyproxy._offline import *  # noqa: F403 - the same names

from pyproxy import chassis as chassis
from pyproxy._native import __version__ as __version__
