"""Scripts that protect something do not start where they would protect nothing."""

from __future__ import annotations

import re

import pytest
from pyproxy.settings import SettingsError
from pyproxy.testing import Session


@pytest.mark.parametrize("script", ["firewall", "masking"])
def test_options_that_switch_protection_off_stop_the_start(script: str) -> None:
    with pytest.raises(SettingsError, match="^pyproxy-on-script-error=forward: " + script):
        Session(f"pyproxy.hooks.{script}", on_script_error="forward")
    with pytest.raises(SettingsError, match="^pyproxy-skip-profiling=true: " + script):
        Session(f"pyproxy.hooks.{script}", profiling=False)
    config = "[firewall]\nmode = off\n[masking_rules]\nt.c = null\n"
    with Session(f"pyproxy.hooks.{script}", script_config=config) as session:
        assert session.query("SELECT 1").ok


@pytest.mark.parametrize(
    ("script", "sections"),
    [
        ("firewall", "[firewall] or [firewall_users]"),
        ("masking", "[masking_rules]"),
        ("rate_limit", "[rate_limit] or [rate_limit_users]"),
        ("login_mapping", "[login_mapping] or [login_mapping_users]"),
    ],
)
def test_a_script_that_does_nothing_without_settings_does_not_start(
    script: str, sections: str
) -> None:
    with pytest.raises(SettingsError) as error:
        Session(f"pyproxy.hooks.{script}")
    wanted = f"pyproxy-script-config is not set: {sections}, and {script} does nothing without"
    assert str(error.value) == wanted
    with pytest.raises(SettingsError, match="there is no section " + re.escape(sections)):
        Session(f"pyproxy.hooks.{script}", script_config="[other]\n")
