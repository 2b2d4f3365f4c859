"""pyproxy.glib2: three helpers, each against what Python itself knows."""

from __future__ import annotations

import time

import pytest
from pyproxy import glib2


def test_md5_is_the_hex_sum() -> None:
    assert glib2.md5(b"") == "d41d8cd98f00b204e9800998ecf8427e"
    assert glib2.md5(b"abc") == "900150983cd24fb0d6963f7d28e17f72"
    assert glib2.md5("\u00e9") == glib2.md5(b"\xc3\xa9") == glib2.md5(bytearray(b"\xc3\xa9"))
    assert glib2.md5("\udcff") == glib2.md5(b"\xff")


def test_usleep_waits_at_least_that_long() -> None:
    before = time.monotonic_ns()
    glib2.usleep(2000)
    assert time.monotonic_ns() - before >= 2_000_000


def test_usleep_refuses_the_past() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        glib2.usleep(-1)


def test_current_time_is_the_clocks() -> None:
    before = time.time_ns() // 1000
    now = glib2.get_current_time()
    after = time.time_ns() // 1000
    assert before <= now.tv_sec * 1_000_000 + now.tv_usec <= after
    assert 0 <= now.tv_usec < 1_000_000


def test_microseconds_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_042_999)
    assert glib2.get_current_time() == (1_700_000_000, 42)
