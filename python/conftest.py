"""Has the tests import the installed package: the one in this folder has no native module.

`python -m pytest`, called in this folder, puts the folder first on the path.
"""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).parent.resolve()
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != _HERE]
