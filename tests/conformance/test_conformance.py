"""Every scenario does the same in `pyproxy.testing` and in the real plugin."""

from __future__ import annotations

import difflib
from concurrent.futures import Future
from pathlib import Path

import pytest
import scenarios  # noqa: F401 - fills the list
from harness import offline
from harness.record import Record
from harness.scenario import ALL, Scenario


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_both_do_the_same(
    scenario: Scenario, plugin_runs: dict[str, Future[Record]], tmp_path: Path
) -> None:
    tested = offline.run(scenario, tmp_path)
    real = plugin_runs[scenario.name].result()
    assert real.clients, "the scenario shows nothing"
    for part in ("clients", "servers", "output", "log"):
        expected, found = getattr(real, part), getattr(tested, part)
        difference = difflib.unified_diff(expected, found, "plugin", "pyproxy.testing", lineterm="")
        assert found == expected, part + ":\n" + "\n".join(difference)
