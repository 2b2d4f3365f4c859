"""The run itself, short; that its checks see what is wrong; and that the page shows what the run uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from .books import check_books
from .quota import Quota, check_quota
from .report import Report
from .run import Run
from .template import DOCS


def test_nothing_is_lost(tmp_path: Path) -> None:
    run = Run(tmp_path, works=10, clerks=6)
    assert run.run() == 0, run.report.wrong


@pytest.mark.parametrize(
    ("debits", "credits", "wrong"),
    [
        ({1, 2}, {1, 2}, 0),
        # Also one that has no answer yet.
        ({1, 2, 3}, {1, 2, 3}, 0),
        ({1}, {1}, 1),
        # What was acknowledged is there by a half.
        ({1, 2}, {1}, 2),
        ({1, 2, 3}, {1, 2}, 1),
        ({1, 2, 4}, {1, 2, 4}, 1),
    ],
)
def test_books_that_are_wrong(debits: set[int], credits: set[int], wrong: int) -> None:
    report = Report()
    check_books(report, "server", [1, 2], [3], {"debits": debits, "credits": credits})
    assert len(report.wrong) == wrong


@pytest.mark.parametrize(
    ("passed", "refused", "by_proxy", "wrong"),
    [
        (60, 10, {"p1": 30, "p2": 30}, 0),
        # Each proxy has let through what all may.
        (120, 10, {"p1": 60, "p2": 60}, 1),
        (60, 0, {"p1": 30, "p2": 30}, 1),
        (60, 10, {"p1": 60, "p2": 0}, 1),
    ],
)
def test_a_quota_that_was_none(
    passed: int, refused: int, by_proxy: dict[str, int], wrong: int
) -> None:
    report = Report()
    check_quota(report, Quota(20, 40), 1.0, passed, refused, by_proxy)
    assert len(report.wrong) == wrong


@pytest.mark.parametrize("name", ["haproxy.cfg", "pyproxy.cnf"])
def test_the_page_shows_the_configurations(name: str) -> None:
    page = (DOCS.parents[1] / "docs/scaling.md").read_text()
    assert (DOCS / name).read_text() in page
