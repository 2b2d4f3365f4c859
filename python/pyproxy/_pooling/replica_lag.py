"""How far a replica is behind, out of its answer to SHOW SLAVE STATUS or SHOW REPLICA STATUS.

Pure. Both spellings of the columns are read, the older one (Master_..., Slave_...) and that of MySQL 8.0.22 and later
(Source_..., Replica_...).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Lag", "lag_of", "status_query"]

# MySQL knows the older statement up to 8.3. MariaDB keeps it; its versions, from 10.0 on, are larger.
_FIRST_WITHOUT_SLAVE, _FIRST_MARIADB = 80400, 100000


@dataclass
class Lag:
    """The state of a replica when it was last looked at."""

    state: str
    """`running`, `noslave` (no replication is set up), `noiothread`, `nosqlthread`, or `error` (it would not say)."""
    check_ts: float
    """When that was, in seconds of a clock that only goes forward."""
    seconds_lag: int | None = None
    """Age of what it applies now; None if it does not know."""
    slave_bytes_lag: int | None = None
    """Bytes of the primary's log that it has read and not applied; None if they are in different files of the log."""

    def is_within(self, max_seconds: int, max_bytes: int) -> bool:
        """Whether replication runs and is no further behind. An unknown number of bytes is not held against it."""
        return (
            self.state == "running"
            and self.seconds_lag is not None
            and self.seconds_lag <= max_seconds
            and (self.slave_bytes_lag is None or self.slave_bytes_lag <= max_bytes)
        )


def status_query(version: int) -> str:
    """The statement that a server of this version (80036 for 8.0.36) understands."""
    is_new = _FIRST_WITHOUT_SLAVE <= version < _FIRST_MARIADB
    return "SHOW REPLICA STATUS" if is_new else "SHOW SLAVE STATUS"


def lag_of(row: Mapping[str, str | None] | None, now: float) -> Lag:
    """The state that the first row of the answer shows; None stands for an answer without rows."""
    if row is None:
        return Lag("noslave", now)
    columns = {
        name.replace("Source", "Master").replace("Replica", "Slave"): value
        for name, value in row.items()
    }
    if not columns.get("Master_Host"):
        return Lag("noslave", now)
    if columns.get("Slave_IO_Running") != "Yes":
        return Lag("noiothread", now)
    if columns.get("Slave_SQL_Running") != "Yes":
        return Lag("nosqlthread", now)
    lag = Lag("running", now, seconds_lag=_number(columns.get("Seconds_Behind_Master")))
    read, applied = columns.get("Read_Master_Log_Pos"), columns.get("Exec_Master_Log_Pos")
    is_same_file = columns.get("Master_Log_File") == columns.get("Relay_Master_Log_File")
    if is_same_file and read is not None and applied is not None:
        lag.slave_bytes_lag = max(int(read) - int(applied), 0)
    return lag


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
