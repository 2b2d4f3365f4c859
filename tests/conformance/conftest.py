"""Runs the scenarios in the real plugin, several at a time: most of such a run is waiting."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from harness import online
from harness.record import Record
from harness.scenario import Scenario

_AT_A_TIME = 8


@pytest.fixture(scope="session")
def plugin_runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Record]]]:
    """What happened in the plugin, or will have, by the name of the scenario; of those that were selected."""
    parameters = [getattr(item, "callspec", None) for item in request.session.items]
    selected: list[Scenario] = [
        call.params["scenario"] for call in parameters if call and "scenario" in call.params
    ]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        yield {
            scenario.name: pool.submit(online.run, scenario, tmp_path_factory.mktemp("online"))
            for scenario in selected
        }
        pool.shutdown(cancel_futures=True)
