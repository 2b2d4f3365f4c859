"""The objects and constants of the MySQL proxy this script runs in.

Inside the proxy they come from the plugin, outside, in tests and on a desk, from the native module of the installed
package: it is the same code, and `pyproxy.testing` runs hook functions with it.
"""

from importlib.util import find_spec as _find_spec

if _find_spec("pyproxy._plugin") is not None:
    from pyproxy._plugin import *  # noqa: F403 - every class and constant
else:
    from pyproxy._native._plugin import *  # noqa: F403 - the same names

from pyproxy import chassis as chassis
from pyproxy._answers import Answer as Answer
from pyproxy._answers import Decision as Decision
from pyproxy._errors import HookTimeout as HookTimeout
from pyproxy._errors import ResultTooLarge as ResultTooLarge
from pyproxy._errors import ServerError as ServerError
from pyproxy._errors import ServerLost as ServerLost
from pyproxy._native import __version__ as __version__
from pyproxy._responses import FieldDict as FieldDict
from pyproxy._responses import ResponseDict as ResponseDict
from pyproxy._responses import ResultDict as ResultDict
from pyproxy._responses import ResultsetDict as ResultsetDict
