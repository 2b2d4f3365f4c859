"""Scripts that protect something do not start where they would protect nothing."""

from __future__ import annotations

import pytest
from pyproxy.settings import SettingsError
from pyproxy.testing import Session


@pytest.mark.parametrize("script", ["firewall", "masking"])
def test_options_that_switch_protection_off_stop_the_start(script: str) -> None:
    with pytest.raises(SettingsError, match="^pyproxy-on-script-error=forward: " + script):
        Session(f"pyproxy.hooks.{script}", on_script_error="forward")
    with pytest.raises(SettingsError, match="^pyproxy-skip-profiling=true: " + script):
        Session(f"pyproxy.hooks.{script}", profiling=False)
    with Session(f"pyproxy.hooks.{script}") as session:
        assert session.query("SELECT 1").ok
