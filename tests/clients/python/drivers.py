"""What differs between the DB-API drivers: how to connect, and what there is beyond the DB-API."""

import contextlib

from report import DATABASE, HOST, MYSQLCLIENT_TLS, PASSWORD, PORT, PYMYSQL_TLS, TLS, USER


class Driver:
    """A driver; the subclasses fill in what they have."""

    # Options of connect() that ask for TLS and for compression.
    tls = {}
    compression = {}
    # Names of checks, and functions of a connection.
    commands = {}
    prepared_cursor = None

    def connect(self, changes):
        """Connects with the usual settings, changed by `changes`."""
        raise NotImplementedError

    def settings(self, changes):
        """Returns the usual settings, changed by `changes`."""
        usual = {"database": DATABASE, "port": PORT, "user": USER, "password": PASSWORD}
        return usual | (self.tls if TLS else {}) | changes

    def logins(self, user, password):
        """Returns the options of connect() that the login of an account needs beyond the usual."""
        return {}

    def streaming_cursor(self, connection):
        """Returns a cursor that does not read the result ahead."""
        raise NotImplementedError

    @contextlib.contextmanager
    def connection(self, **changes):
        """Connects, and closes the connection at the end."""
        connection = self.connect(changes)
        try:
            yield connection
        finally:
            # A connection that was killed may fail to close.
            with contextlib.suppress(Exception):
                connection.close()

    def server_version(self):
        """Returns what the driver takes for the server's version."""
        with self.connection() as connection:
            return str(self.version_of(connection))


class PyMySql(Driver):
    """PyMySQL."""

    def __init__(self, other):
        import pymysql
        import pymysql.cursors
        from pymysql.constants import CLIENT

        self.module = pymysql
        self.multi = CLIENT.MULTI_STATEMENTS
        self.tls = PYMYSQL_TLS
        self.commands = {
            "ping": lambda connection: connection.ping(reconnect=False),
            "select_db": lambda connection: connection.select_db(other["database"]),
        }

    def connect(self, changes):
        return self.module.connect(
            host=HOST,
            charset="utf8mb4",
            local_infile=True,
            client_flag=self.multi,
            max_allowed_packet=64 * 1024 * 1024,
            **self.settings(changes),
        )

    def streaming_cursor(self, connection):
        return connection.cursor(self.module.cursors.SSCursor)

    def version_of(self, connection):
        return connection.get_server_info()


class MySqlClient(Driver):
    """mysqlclient, which is MariaDB's or MySQL's C library."""

    tls = MYSQLCLIENT_TLS
    compression = {"compress": True}

    def __init__(self, other):
        import MySQLdb
        import MySQLdb.cursors

        self.module = MySQLdb
        self.commands = {
            "change_user": lambda connection: connection.change_user(
                other["user"], other["password"], other["database"]
            ),
            "ping": lambda connection: connection.ping(),
            "select_db": lambda connection: connection.select_db(other["database"]),
            "statistics": lambda connection: connection.stat().split(":")[0],
        }

    def connect(self, changes):
        settings = self.settings(changes)
        return self.module.connect(
            host=HOST,
            charset="utf8mb4",
            local_infile=1,
            **{name: value for name, value in settings.items() if value is not None},
        )

    def streaming_cursor(self, connection):
        return connection.cursor(self.module.cursors.SSCursor)

    def version_of(self, connection):
        return connection.get_server_info()


class MySqlConnector(Driver):
    """mysql-connector-python, in pure Python or with its C extension."""

    tls = {"ssl_disabled": False}
    compression = {"compress": True}

    def __init__(self, other, pure):
        import mysql.connector

        self.module = mysql.connector
        self.pure = pure
        change_user = {
            "username": other["user"],
            "password": other["password"],
            "database": other["database"],
        }
        self.commands = {
            "change_user": lambda connection: connection.cmd_change_user(**change_user),
            "reset_connection": lambda connection: connection.cmd_reset_connection(),
            "reset_session": lambda connection: connection.reset_session(),
            "ping": lambda connection: connection.ping(),
            "select_db": lambda connection: connection.cmd_init_db(other["database"]),
            "statistics": lambda connection: str(connection.cmd_statistics())[:8],
        }

    def connect(self, changes):
        return self.module.connect(
            host=HOST,
            charset="utf8mb4",
            collation="utf8mb4_general_ci",
            allow_local_infile=True,
            use_pure=self.pure,
            **self.settings(changes),
        )

    def logins(self, user, password):
        factors = {"password1": password, "password2": password} if user == "factors" else {}
        return {"ssl_disabled": not TLS, **factors}

    def prepared_cursor(self, connection):
        return connection.cursor(prepared=True)

    def streaming_cursor(self, connection):
        return connection.cursor(buffered=False)

    def version_of(self, connection):
        return connection.get_server_info()


def by_name(name, other):
    """Returns the driver of that name; `other` has user, password and database to change to."""
    if name == "pymysql":
        return PyMySql(other)
    if name == "mysqlclient":
        return MySqlClient(other)
    return MySqlConnector(other, pure={"mysql-connector": True, "mysql-connector-c": False}[name])
