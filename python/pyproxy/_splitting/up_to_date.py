"""Reads from replicas that are up to date: in front of a read a replica is asked for its state, if what is known of that is too old."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from pyproxy._pooling.replica_lag import Lag, lag_of, status_query
from pyproxy._splitting.freshness import Freshness

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy, Resultset
    from pyproxy.settings import Section

__all__ = ["UpToDate"]

_LONG_AGO = float("-inf")


class UpToDate(Freshness):
    """The states of one script's replicas. `proxy.globals.lag` shows them, by the address of the backend."""

    tries_others = True

    def __init__(self, name: str, settings: Section) -> None:
        """`settings` have `max_seconds_lag`, `max_bytes_lag`, `check_timeout`, `retry_timeout` and `is_debug`."""
        self._name = name
        self._settings = settings
        self._log = logging.getLogger(f"pyproxy.hooks.{name}")
        # By the index of the backend.
        self._lags: dict[int, Lag] = {}
        # When a client went to find out whether an unfit one will do now.
        self._retried: dict[int, float] = {}
        # When a replica did not tell a user its state. It says nothing about others.
        self._untold: dict[tuple[int, str], float] = {}

    def unfit(self, proxy: Proxy) -> set[int]:
        """Those that were unfit no longer ago than `retry_timeout`; then one client finds out, as long as a state holds."""
        now = time.monotonic()
        found = {ndx for ndx, lag in self._lags.items() if self._is_left_out(ndx, lag, now)}
        if self._untold:
            user = proxy.connection.client.username
            retry_timeout = self._settings.retry_timeout
            found |= {
                ndx
                for (ndx, name), at in self._untold.items()
                if name == user and now - at < retry_timeout
            }
        return found

    def question(self, proxy: Proxy) -> str | None:
        backend, server = proxy.connection.backend, proxy.connection.server
        if backend is None or server is None:
            return None
        lag, now = self._lags.get(backend.ndx), time.monotonic()
        if lag is not None:
            if not self._is_fit(lag):
                self._retried[backend.ndx] = now
            elif now - lag.check_ts < self._settings.check_timeout:
                return None
        return status_query(server.mysqld_version or 0)

    def is_fresh(self, proxy: Proxy, inj: Injection, version: int) -> bool:
        backend = proxy.connection.backend
        assert backend is not None
        address, now = str(backend.dst), time.monotonic()
        user = proxy.connection.client.username or ""
        error = inj.resultset.error
        if error is not None:
            if (backend.ndx, user) not in self._untold:
                self._log.warning(
                    "%s: %s does not tell user %s its state, whose reads go elsewhere: %s",
                    *(self._name, address, user, error),
                )
            self._untold[backend.ndx, user] = now
            return False
        self._untold.pop((backend.ndx, user), None)
        lag = lag_of(_first_row(inj.resultset), now)
        self._lags[backend.ndx] = proxy.globals.lag[address] = lag
        is_fit = self._is_fit(lag)
        if self._settings.is_debug:
            print(f"[{self._name}]", address, lag, "" if is_fit else "will not do")
        return is_fit

    def _is_fit(self, lag: Lag) -> bool:
        return lag.is_within(self._settings.max_seconds_lag, self._settings.max_bytes_lag)

    def _is_left_out(self, ndx: int, lag: Lag, now: float) -> bool:
        if self._is_fit(lag):
            return False
        is_tried: bool = now - self._retried.get(ndx, _LONG_AGO) < self._settings.check_timeout
        is_known: bool = now - lag.check_ts < self._settings.retry_timeout
        return is_tried or is_known


def _first_row(result: Resultset) -> dict[str, str | None] | None:
    """By the names of the columns; None if there is none."""
    names = [field.name for field in result.fields or ()]
    for row in result.rows or ():
        return {name: None if cell is None else str(cell) for name, cell in zip(names, row)}
    return None
