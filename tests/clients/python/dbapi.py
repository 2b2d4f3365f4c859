"""Checks of the drivers that follow Python's DB-API; the argument names the driver."""

import sys
import threading

import drivers
from report import (
    BLOB,
    COLUMNS,
    CONNECTIONS,
    DIRECTORY,
    LOGINS,
    MANY_COLUMNS,
    MULTI,
    MULTI_WITH_ERROR,
    OTHER_DATABASE,
    OTHER_PASSWORD,
    OTHER_USER,
    QUERIES_PER_CONNECTION,
    STREAM,
    VALUES,
    check,
    digest,
    edges,
    query_of_length,
    run_checks,
)

WHO = "SELECT CURRENT_USER(), DATABASE(), @@character_set_client, @@autocommit"


def rows(connection, sql, values=None):
    """Returns the rows of one query, all of them."""
    cursor = connection.cursor()
    cursor.execute(sql, values)
    found = cursor.fetchall()
    cursor.close()
    return found


def outcome(function, *arguments):
    """Returns what a function returns, or how it fails."""
    try:
        return function(*arguments)
    except Exception as error:  # every failure of a client is a result
        return f"{type(error).__name__} {digest(error.args)}"


def all_results(cursor):
    """Returns the rows of all results of a cursor, and the error that ends them."""
    results = []
    try:
        while True:
            results.append(list(cursor.fetchall()) if cursor.description else cursor.rowcount)
            if not cursor.nextset():
                break
    except Exception as error:  # every failure of a client is a result
        results.append(f"{type(error).__name__} {digest(error.args)}")
    return results


class Checks:
    """The checks; each makes the connections that it needs."""

    def __init__(self, driver):
        self.driver = driver

    def one(self, sql, values=None):
        """Returns the rows of a query on a connection of its own."""
        with self.driver.connection() as connection:
            return rows(connection, sql, values)

    def check_connect(self):
        return self.one(WHO)

    def check_no_database(self):
        with self.driver.connection(database=None) as connection:
            return rows(connection, WHO)

    def check_wrong_password(self):
        return outcome(self.driver.connect, {"password": "wrong"})

    def check_unknown_database(self):
        return outcome(self.driver.connect, {"database": "nosuch"})

    def check_server_version(self):
        return self.one("SELECT @@version"), self.driver.server_version()

    def check_null(self):
        return self.one("SELECT NULL, '', 'NULL', NULL UNION ALL SELECT NULL, NULL, NULL, NULL")

    def check_utf8mb4(self):
        return self.one("SELECT %s, 'žluťoučký 🐎', HEX(%s)", ("naïve 🐎", "🐎"))

    def check_values_written(self):
        return self.one("SELECT " + ", ".join(["%s"] * len(VALUES)), VALUES)

    def check_many_columns(self):
        return self.one(MANY_COLUMNS)

    def check_empty_result(self):
        with self.driver.connection() as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT * FROM types WHERE id = 99")
            return [column[:2] for column in cursor.description], cursor.fetchall()

    def check_blob(self):
        with self.driver.connection() as connection:
            rows(connection, "SET NAMES utf8mb4")
            cursor = connection.cursor()
            cursor.execute("CREATE TEMPORARY TABLE blobs (data LONGBLOB)")
            cursor.execute("INSERT INTO blobs VALUES (%s)", (BLOB,))
            cursor.execute("SELECT data, LENGTH(data), MD5(data) FROM blobs")
            ((back, length, md5),) = cursor.fetchall()
            return bytes(back) == BLOB, length, md5

    def check_row_edges(self):
        with self.driver.connection() as connection:
            # A string as long as this has four bytes of length in front.
            return [
                len(rows(connection, f"SELECT REPEAT('x', {length - 4})")[0][0])
                for length in edges()
            ]

    def check_query_edges(self):
        with self.driver.connection() as connection:
            return [rows(connection, query_of_length(length)) for length in edges()]

    def check_multi_statement(self):
        with self.driver.connection() as connection:
            cursor = connection.cursor()
            cursor.execute(MULTI)
            results = all_results(cursor)
            cursor.close()
            return results, rows(connection, "SELECT 'after'")

    def check_multi_error(self):
        with self.driver.connection() as connection:
            cursor = connection.cursor()
            failure = outcome(cursor.execute, MULTI_WITH_ERROR)
            results = all_results(cursor)
            cursor.close()
            return failure, results, rows(connection, "SELECT 'after'")

    def check_procedure(self):
        with self.driver.connection() as connection:
            cursor = connection.cursor()
            cursor.execute("CALL one_result()")
            results = all_results(cursor)
            cursor.close()
            cursor = connection.cursor()
            answer = cursor.callproc("with_out", (21, 0, "text"))
            more = all_results(cursor)
            cursor.close()
            variables = rows(connection, "SELECT @_with_out_0, @_with_out_1, @_with_out_2")
            return results, answer, more, variables

    def check_procedure_error(self):
        with self.driver.connection() as connection:
            cursor = connection.cursor()
            failure = outcome(cursor.execute, "CALL results_then_error()")
            results = all_results(cursor)
            cursor.close()
            return failure, results, rows(connection, "SELECT 'after'")

    def check_transaction(self):
        with self.driver.connection() as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB")
            seen = []
            for end in (connection.rollback, connection.commit, connection.rollback):
                cursor.execute("INSERT INTO tx VALUES (1)")
                end()
                seen.append(rows(connection, "SELECT COUNT(*), @@in_transaction FROM tx"))
            return seen

    def check_affected(self):
        with self.driver.connection() as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TEMPORARY TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n INT)")
            seen = []
            for sql in (
                "INSERT INTO a (n) VALUES (1), (2), (3)",
                "INSERT INTO a (id, n) VALUES (5000000000 - 4900000000, 4)",
                "UPDATE a SET n = 1",
                "DELETE FROM a WHERE n = 1",
            ):
                cursor.execute(sql)
                seen.append((cursor.rowcount, cursor.lastrowid))
            cursor.executemany("INSERT INTO a (n) VALUES (%s)", [(n,) for n in range(1000)])
            seen.append((cursor.rowcount, cursor.lastrowid))
            return seen

    def check_warnings(self):
        with self.driver.connection() as connection:
            return rows(connection, "SELECT 1/0, CAST('x' AS INT)"), rows(
                connection, "SHOW WARNINGS"
            )

    def check_error_continue(self):
        with self.driver.connection() as connection:
            seen = []
            for sql in (
                "SELECT nosuch",
                "nonsense",
                "SELECT * FROM nosuch",
                "SIGNAL SQLSTATE '45000'",
            ):
                seen.append(outcome(rows, connection, sql))
                seen.append(rows(connection, "SELECT 'after'"))
            return seen

    def load(self, file):
        with self.driver.connection() as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TEMPORARY TABLE loaded (a INT, b TEXT)")
            sql = f"LOAD DATA LOCAL INFILE '{DIRECTORY}/{file}' INTO TABLE loaded"
            answer = outcome(cursor.execute, sql)
            return (
                answer if isinstance(answer, str) else cursor.rowcount,
                outcome(rows, connection, "SELECT COUNT(*), SUM(a), MAX(b) FROM loaded"),
            )

    def check_load_data(self):
        return self.load("rows.txt")

    def check_load_data_empty(self):
        return self.load("empty.txt")

    def check_load_data_missing(self):
        # The driver's text names the file, whose folder differs from run to run.
        return str(self.load("missing.txt")).replace(DIRECTORY, "DIR")

    def check_parallel(self):
        failures, total = [], []

        def work(number):
            try:
                with self.driver.connection() as connection:
                    for step in range(QUERIES_PER_CONNECTION):
                        value = number * 1000 + step
                        ((back,),) = rows(connection, "SELECT %s", (value,))
                        total.append(back)
            except Exception as error:  # reported below
                failures.append(repr(error))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(total), sum(total), failures

    def check_streaming(self):
        with self.driver.connection() as connection:
            cursor = self.driver.streaming_cursor(connection)
            cursor.execute(STREAM)
            count = total = 0
            for number, text in cursor:
                count += 1
                total += number + len(text)
            cursor.close()
            return count, total, rows(connection, "SELECT 'after'")

    def check_streaming_abandoned(self):
        with self.driver.connection() as connection:
            cursor = self.driver.streaming_cursor(connection)
            cursor.execute(STREAM)
            first = cursor.fetchone()[0]
        return first, self.one("SELECT 'after'")

    def check_killed(self):
        with self.driver.connection() as connection:
            kill = outcome(rows, connection, "KILL CONNECTION_ID()")
        return kill, self.one("SELECT 'after'")

    def check_idle_killed(self):
        with self.driver.connection() as connection, self.driver.connection() as killer:
            ((number,),) = rows(connection, "SELECT CONNECTION_ID()")
            rows(killer, f"KILL {number}")
            return outcome(rows, connection, "SELECT 'after'") != [(1,)], rows(killer, "SELECT 1")


def check_logins(driver):
    """Logs in with each method, with the right and with a wrong password."""
    for user, port in LOGINS:
        check(f"login.{user}", login, driver, user, port, "secret")
        check(f"login_refused.{user}", login, driver, user, port, "wrong")


def login(driver, user, port, password):
    settings = {"user": user, "port": int(port), "password": password}
    with driver.connection(**settings, **driver.logins(user, password)) as connection:
        return rows(connection, "SELECT CURRENT_USER()")


def check_columns(driver):
    """Reads every column of the table of types."""
    with driver.connection() as connection:
        names = [row[0] for row in rows(connection, COLUMNS)]
        for name in names:
            sql = f"SELECT {name} FROM types ORDER BY id"
            check(f"types_text.{name}", column, connection.cursor, sql)
        check("types_text", rows, connection, "SELECT * FROM types ORDER BY id")
        if driver.prepared_cursor:
            prepared = lambda: driver.prepared_cursor(connection)  # noqa: E731
            for name in names:
                sql = f"SELECT {name} FROM types ORDER BY id"
                check(f"types_prepared.{name}", column, prepared, sql)
            check("types_prepared", column, prepared, "SELECT * FROM types ORDER BY id")


def column(make_cursor, sql):
    """Returns what the cursor tells of the result, and its rows."""
    cursor = make_cursor()
    try:
        cursor.execute(sql)
        found = cursor.fetchall()
        return [item[1:] for item in cursor.description], found
    finally:
        cursor.close()


def check_statements(driver):
    """Executes prepared statements with all values, several at a time."""
    with driver.connection() as connection:
        seen = []
        cursors = [driver.prepared_cursor(connection) for _ in range(20)]
        for turn in range(3):
            for number, cursor in enumerate(cursors):
                cursor.execute(f"SELECT ?, ?, {number}", (turn, f"text {turn}"))
                seen.append(cursor.fetchall())
        for cursor in cursors:
            cursor.close()
        cursor = driver.prepared_cursor(connection)
        cursor.execute("SELECT " + ", ".join(["?"] * len(VALUES)), VALUES)
        seen.append(cursor.fetchall())
        seen.append(outcome(cursor.execute, "SELECT nosuch FROM types WHERE id = ?", (1,)))
        cursor.execute("SELECT LENGTH(?), MD5(?)", (BLOB, BLOB))
        seen.append(cursor.fetchall())
        cursor.close()
        return seen


def check_commands(driver):
    """Sends the commands that are no queries."""
    for name, function in driver.commands.items():
        check(name, command, driver, function)


def command(driver, function):
    with driver.connection() as connection:
        rows(connection, "SET @kept = 1")
        answer = function(connection)
        return answer, rows(connection, WHO), rows(connection, "SELECT @kept")


def check_transport(driver):
    """Asks for TLS and for compression, whichever the driver has options for."""
    for name, options in (("tls", driver.tls), ("compression", driver.compression)):
        check(name, status, driver, options)


def status(driver, options):
    with driver.connection(**options) as connection:
        return rows(connection, "SHOW STATUS WHERE Variable_name IN ('Ssl_version', 'Compression')")


def main():
    driver = drivers.by_name(
        sys.argv[1], {"user": OTHER_USER, "password": OTHER_PASSWORD, "database": OTHER_DATABASE}
    )
    check_logins(driver)
    check_columns(driver)
    run_checks(Checks(driver))
    check_commands(driver)
    if driver.prepared_cursor:
        check("statements", check_statements, driver)
    check_transport(driver)


if __name__ == "__main__":
    main()
