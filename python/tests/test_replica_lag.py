"""pyproxy._pooling.replica_lag: the state of a replica out of its status."""

from __future__ import annotations

import pytest
from pyproxy._pooling.replica_lag import Lag, lag_of, status_query

RUNNING = {
    "Master_Host": "primary",
    "Master_Log_File": "log.2",
    "Read_Master_Log_Pos": "900",
    "Relay_Master_Log_File": "log.2",
    "Exec_Master_Log_Pos": "500",
    "Slave_IO_Running": "Yes",
    "Slave_SQL_Running": "Yes",
    "Seconds_Behind_Master": "3",
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Lag("running", 7.0, 3, 400)),
        ({"Exec_Master_Log_Pos": "900", "Seconds_Behind_Master": "0"}, Lag("running", 7.0, 0, 0)),
        ({"Exec_Master_Log_Pos": "901"}, Lag("running", 7.0, 3, 0)),
        ({"Relay_Master_Log_File": "log.1"}, Lag("running", 7.0, 3, None)),
        ({"Seconds_Behind_Master": None}, Lag("running", 7.0, None, 400)),
        ({"Slave_IO_Running": "Connecting"}, Lag("noiothread", 7.0)),
        ({"Slave_SQL_Running": "No"}, Lag("nosqlthread", 7.0)),
        ({"Master_Host": ""}, Lag("noslave", 7.0)),
    ],
)
def test_states(changes: dict[str, str | None], expected: Lag) -> None:
    row = {**RUNNING, **changes}
    assert lag_of(row, 7.0) == expected
    new_names = {
        name.replace("Master", "Source").replace("Slave", "Replica"): value
        for name, value in row.items()
    }
    assert lag_of(new_names, 7.0) == expected


def test_a_server_without_replication_has_no_row() -> None:
    assert lag_of(None, 7.0) == Lag("noslave", 7.0)


@pytest.mark.parametrize(
    ("lag", "is_fit"),
    [
        (Lag("running", 0, 10, 100), True),
        (Lag("running", 0, 0, None), True),
        (Lag("running", 0, 11, 0), False),
        (Lag("running", 0, 0, 101), False),
        (Lag("running", 0, None, 0), False),
        (Lag("noiothread", 0), False),
        (Lag("error", 0), False),
    ],
)
def test_limits(lag: Lag, is_fit: bool) -> None:
    assert lag.is_within(10, 100) == is_fit


@pytest.mark.parametrize(
    ("version", "statement"),
    [
        (50744, "SHOW SLAVE STATUS"),
        (80036, "SHOW SLAVE STATUS"),
        (80400, "SHOW REPLICA STATUS"),
        (90100, "SHOW REPLICA STATUS"),
        (101106, "SHOW SLAVE STATUS"),
        (110802, "SHOW SLAVE STATUS"),
        (0, "SHOW SLAVE STATUS"),
    ],
)
def test_each_server_is_asked_what_it_understands(version: int, statement: str) -> None:
    assert status_query(version) == statement
