"""Checks of peewee over PyMySQL: queries, and a connection that is made anew when the server ended it."""

import time

import peewee
from playhouse.pool import PooledMySQLDatabase
from playhouse.shortcuts import ReconnectMixin
from report import (
    DATABASE,
    GONE,
    HOST,
    IDLE_SECONDS,
    PASSWORD,
    PORT,
    PYMYSQL_TLS,
    TLS,
    USER,
    run_checks,
)

SETTINGS = {"host": HOST, "port": PORT, "user": USER, "password": PASSWORD, "charset": "utf8mb4"}
if TLS:
    SETTINGS.update(PYMYSQL_TLS)


class Reconnecting(ReconnectMixin, peewee.MySQLDatabase):
    """Tries a query again on a new connection if the old one is gone."""


class Checks:
    """The checks."""

    def check_connect(self):
        database = peewee.MySQLDatabase(DATABASE, **SETTINGS)
        return database.execute_sql("SELECT CURRENT_USER(), DATABASE()").fetchall()

    def check_idle_ended(self):
        return [
            self.after_a_pause(Reconnecting(DATABASE, **SETTINGS)),
            self.after_a_pause(PooledMySQLDatabase(DATABASE, stale_timeout=1, **SETTINGS)),
            self.after_a_pause(peewee.MySQLDatabase(DATABASE, **SETTINGS)),
        ]

    def after_a_pause(self, database):
        """What two queries give behind a pause that is longer than the server waits."""
        database.execute_sql("SET SESSION wait_timeout = 1")
        if isinstance(database, PooledMySQLDatabase):
            database.close()
        time.sleep(IDLE_SECONDS)
        seen = []
        for _ in range(2):
            try:
                seen.append(database.execute_sql("SELECT @@wait_timeout > 1").fetchall())
            except (peewee.OperationalError, peewee.InterfaceError) as error:
                seen.append(error.args[0] in GONE)
        return seen


if __name__ == "__main__":
    run_checks(Checks())
