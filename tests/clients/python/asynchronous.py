"""Checks of the drivers for asyncio; the argument names the driver: aiomysql or asyncmy."""

import asyncio
import importlib
import ssl
import sys

from report import (
    BLOB,
    COLUMNS,
    CONNECTIONS,
    DATABASE,
    DIRECTORY,
    HOST,
    LOGINS,
    MANY_COLUMNS,
    MULTI,
    MULTI_WITH_ERROR,
    OTHER_DATABASE,
    PASSWORD,
    PORT,
    QUERIES_PER_CONNECTION,
    STREAM,
    TLS,
    USER,
    VALUES,
    digest,
    edges,
    print_error,
    print_ok,
    query_of_length,
)

WHO = "SELECT CURRENT_USER(), DATABASE(), @@character_set_client, @@autocommit"


async def rows(connection, sql, values=None):
    """Returns the rows of one query, all of them."""
    async with connection.cursor() as cursor:
        await cursor.execute(sql, values)
        return await cursor.fetchall()


async def outcome(awaitable):
    """Returns what an awaitable returns, or how it fails."""
    try:
        return await awaitable
    except Exception as error:  # every failure of a client is a result
        return f"{type(error).__name__} {digest(error.args)}"


async def all_results(cursor):
    """Returns the rows of all results of a cursor, and the error that ends them."""
    results = []
    try:
        while True:
            results.append(await cursor.fetchall() if cursor.description else cursor.rowcount)
            if not await cursor.nextset():
                break
    except Exception as error:  # every failure of a client is a result
        results.append(f"{type(error).__name__} {digest(error.args)}")
    return results


class Checks:
    """The checks; each makes the connections that it needs."""

    def __init__(self, name):
        self.module = importlib.import_module(name)
        self.cursors = importlib.import_module(f"{name}.cursors")
        flags = importlib.import_module(
            "asyncmy.constants.CLIENT" if name == "asyncmy" else "pymysql.constants.CLIENT"
        )
        self.multi = flags.MULTI_STATEMENTS
        # asyncmy stumbles over the name of the file, and leaves the server waiting for it.
        self.loads = name != "asyncmy"
        self.ssl = ssl.create_default_context() if TLS else None
        if self.ssl:
            self.ssl.check_hostname = False
            self.ssl.verify_mode = ssl.CERT_NONE

    def connect(self, **changes):
        settings = {"db": DATABASE, "port": PORT, "user": USER, "password": PASSWORD, **changes}
        return self.module.connect(
            host=HOST,
            charset="utf8mb4",
            local_infile=True,
            client_flag=self.multi,
            ssl=self.ssl,
            **settings,
        )

    async def one(self, sql, values=None):
        async with self.connect() as connection:
            return await rows(connection, sql, values)

    async def check_connect(self):
        return await self.one(WHO)

    async def check_no_database(self):
        async with self.connect(db=None) as connection:
            return await rows(connection, WHO)

    async def login(self, user, port, password):
        async with self.connect(user=user, port=int(port), password=password) as connection:
            return await rows(connection, "SELECT CURRENT_USER()")

    async def failing_login(self, **changes):
        async with self.connect(**changes):
            return "logged in"

    async def check_wrong_password(self):
        return await self.failing_login(password="wrong")

    async def check_unknown_database(self):
        return await self.failing_login(db="nosuch")

    async def check_types_text(self):
        async with self.connect() as connection:
            for (name,) in await rows(connection, COLUMNS):
                await run(f"types_text.{name}", self.column(connection, name))
            return await rows(connection, "SELECT * FROM types ORDER BY id")

    async def column(self, connection, name):
        async with connection.cursor() as cursor:
            await cursor.execute(f"SELECT {name} FROM types ORDER BY id")
            return [item[1:] for item in cursor.description], await cursor.fetchall()

    async def check_null(self):
        return await self.one("SELECT NULL, '', 'NULL' UNION ALL SELECT NULL, NULL, NULL")

    async def check_utf8mb4(self):
        return await self.one("SELECT %s, 'žluťoučký 🐎', HEX(%s)", ("naïve 🐎", "🐎"))

    async def check_values_written(self):
        return await self.one("SELECT " + ", ".join(["%s"] * len(VALUES)), VALUES)

    async def check_many_columns(self):
        return await self.one(MANY_COLUMNS)

    async def check_empty_result(self):
        return await self.one("SELECT * FROM types WHERE id = 99")

    async def check_blob(self):
        async with self.connect() as connection:
            await rows(connection, "CREATE TEMPORARY TABLE blobs (data LONGBLOB)")
            await rows(connection, "INSERT INTO blobs VALUES (%s)", (BLOB,))
            # asyncmy takes a row that begins with a text as long as this for the end of the rows.
            ((md5, back),) = await rows(connection, "SELECT MD5(data), data FROM blobs")
            return bytes(back) == BLOB, md5

    async def check_row_edges(self):
        async with self.connect() as connection:
            # A string as long as this has four bytes of length in front.
            return [
                len((await rows(connection, f"SELECT REPEAT('x', {length - 4})"))[0][0])
                for length in edges()
            ]

    async def check_query_edges(self):
        async with self.connect() as connection:
            return [await rows(connection, query_of_length(length)) for length in edges()]

    async def several(self, sql):
        async with self.connect() as connection:
            async with connection.cursor() as cursor:
                failure = await outcome(cursor.execute(sql))
                results = await all_results(cursor)
            return failure, results, await rows(connection, "SELECT 'after'")

    async def check_multi_statement(self):
        return await self.several(MULTI)

    async def check_multi_error(self):
        return await self.several(MULTI_WITH_ERROR)

    async def check_procedure(self):
        return await self.several("CALL one_result()")

    async def check_procedure_error(self):
        return await self.several("CALL results_then_error()")

    async def check_transaction(self):
        async with self.connect() as connection:
            await rows(connection, "CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB")
            seen = []
            for end in (connection.rollback, connection.commit, connection.rollback):
                await connection.begin()
                await rows(connection, "INSERT INTO tx VALUES (1)")
                await end()
                seen.append(await rows(connection, "SELECT COUNT(*), @@in_transaction FROM tx"))
            return seen

    async def check_error_continue(self):
        async with self.connect() as connection:
            seen = []
            for sql in ("SELECT nosuch", "nonsense", "SELECT * FROM nosuch"):
                seen.append(await outcome(rows(connection, sql)))
                seen.append(await rows(connection, "SELECT 'after'"))
            return seen

    async def load(self, file):
        async with self.connect() as connection:
            await rows(connection, "CREATE TEMPORARY TABLE loaded (a INT, b TEXT)")
            answer = await outcome(
                rows(connection, f"LOAD DATA LOCAL INFILE '{DIRECTORY}/{file}' INTO TABLE loaded")
            )
            counted = await outcome(rows(connection, "SELECT COUNT(*), SUM(a), MAX(b) FROM loaded"))
            return str((answer, counted)).replace(DIRECTORY, "DIR")

    async def check_load_data(self):
        return await self.load("rows.txt") if self.loads else "not supported"

    async def check_load_data_missing(self):
        return await self.load("missing.txt") if self.loads else "not supported"

    async def check_ping(self):
        async with self.connect() as connection:
            return await connection.ping(reconnect=False)

    async def check_select_db(self):
        async with self.connect() as connection:
            await connection.select_db(OTHER_DATABASE)
            return await rows(connection, WHO)

    async def check_parallel(self):
        async def work(number):
            async with self.connect() as connection:
                return [
                    (await rows(connection, "SELECT %s", (number * 1000 + step,)))[0][0]
                    for step in range(QUERIES_PER_CONNECTION)
                ]

        answers = await asyncio.gather(*(work(number) for number in range(CONNECTIONS)))
        return sum(map(len, answers)), sum(map(sum, answers))

    async def check_streaming(self):
        async with self.connect() as connection:
            async with connection.cursor(self.cursors.SSCursor) as cursor:
                await cursor.execute(STREAM)
                count = total = 0
                while row := await cursor.fetchone():
                    count += 1
                    total += row[0] + len(row[1])
            return count, total, await rows(connection, "SELECT 'after'")

    async def check_streaming_abandoned(self):
        async with self.connect() as connection:
            async with connection.cursor(self.cursors.SSCursor) as cursor:
                await cursor.execute(STREAM)
                first = (await cursor.fetchone())[0]
            return first, await rows(connection, "SELECT 'after'")

    async def check_killed(self):
        connection = await self.connect()
        kill = await outcome(rows(connection, "KILL CONNECTION_ID()"))
        connection.close()
        return kill, await self.one("SELECT 'after'")


async def run(name, awaitable):
    """Runs one check and prints its line."""
    try:
        value = await awaitable
    except Exception as error:  # every failure of a client is a result
        print_error(name, error)
    else:
        print_ok(name, value)


async def main():
    checks = Checks(sys.argv[1])
    for user, port in LOGINS:
        await run(f"login.{user}", checks.login(user, port, "secret"))
        await run(f"login_refused.{user}", checks.login(user, port, "wrong"))
    for name in vars(Checks):
        if name.startswith("check_"):
            await run(name[len("check_") :], getattr(checks, name)())


if __name__ == "__main__":
    asyncio.run(main())
