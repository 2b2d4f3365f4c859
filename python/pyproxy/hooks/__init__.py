"""Ready-made hook scripts.

Name one with `pyproxy-python-script`, or import it into a script of your own:

    from pyproxy.hooks.rw_splitting import *

Each takes its settings from the section of its name in the file that `pyproxy-script-config` names.
"""
