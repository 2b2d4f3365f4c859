"""Every ini block is a configuration that the plugin would start with, or a part of one.

`pyproxy-check-config` says so, in the host of `PYPROXY_HOST` with the plugin of `PYPROXY_PLUGIN`. Sections of a script alone are
checked with that script. Files that a block names (scripts, certificates) are made for the check; the user and the plugin folder are not
those of the block.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.blocks import Block, of_language
from support.configuration import check


@pytest.mark.parametrize("block", [pytest.param(it, id=it.id) for it in of_language("ini")])
def test_ini(block: Block, tmp_path: Path) -> None:
    check(block, tmp_path)
