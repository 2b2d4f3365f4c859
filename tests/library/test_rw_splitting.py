"""The script `rw_splitting` in a real proxy, between a server for writes (id 1) and one for reads (id 2).

The two do not replicate, so which of them answered is seen in the data.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pymysql
import pytest
from pymysql.constants import CLIENT, COMMAND
from support.mariadb import IS_MYSQL, MariaDb, mariadb_has
from support.process import eventually, free_port
from support.proxy import Proxy
from support.whoami import WHO, prepare, rows, value, who

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rw_splitting.py"
PRIMARY, READER = 1, 2
SMALL = "[rwsplit]\nmin_idle_connections = 1\n"


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    for server in (mariadb, replica):
        server.execute(
            "CREATE TABLE test.numbers (id INT AUTO_INCREMENT PRIMARY KEY, a INT)",
            "CREATE DATABASE other",
            "CREATE TABLE other.place (id INT)",
            f"INSERT INTO other.place VALUES ({server.server_id * 10})",
            f"CREATE FUNCTION test.place() RETURNS INT DETERMINISTIC RETURN {server.server_id}",
            f"CREATE FUNCTION test.now () RETURNS INT DETERMINISTIC RETURN {server.server_id}",
            "CREATE PROCEDURE test.prepare_it() CREATE TEMPORARY TABLE test.made SELECT 7 AS a",
        )
        if not IS_MYSQL:
            server.execute("CREATE SEQUENCE test.sequence")
    mariadb.execute("INSERT INTO test.numbers (a) VALUES (1), (2), (3)")
    replica.execute("INSERT INTO test.numbers (a) VALUES (1), (2), (3), (4), (5)")
    yield
    for server in (mariadb, replica):
        server.execute(
            "DROP DATABASE other",
            "DROP TABLE test.numbers, test.whoami",
            "DROP FUNCTION test.place",
            "DROP FUNCTION test.now",
            "DROP PROCEDURE test.prepare_it",
        )
        if not IS_MYSQL:
            server.execute("DROP SEQUENCE test.sequence")


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb) -> Proxy:
    """With one idle connection in each pool."""
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=SMALL)
    fill(proxy)
    return proxy


def fill(proxy: Proxy) -> None:
    for _ in range(2):
        proxy.connect().close()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[pymysql.Connection]:
    with proxy.connect() as connection:
        yield connection


def test_reads_and_writes_part(client: pymysql.Connection, mariadb: MariaDb) -> None:
    assert who(client) == READER
    rows(client, "CREATE TABLE test.written (a INT)")
    rows(client, "INSERT INTO test.written VALUES (1)")
    assert who(client) == READER
    # On the reader there is no such table.
    assert mariadb.execute("SELECT a FROM test.written") == ((1,),)
    rows(client, "DROP TABLE test.written")


@pytest.mark.parametrize(
    "sql",
    [
        WHO,
        "/* a comment */ select id from test.whoami",
        "(SELECT id FROM test.whoami) UNION (SELECT id FROM test.whoami)",
        "WITH w AS (SELECT id FROM test.whoami) SELECT id FROM w",
        "SELECT MAX(id) FROM test.whoami",
        "SELECT id FROM test.whoami WHERE 'FOR UPDATE' <> '@x'",
    ],
)
def test_what_goes_to_the_reader(client: pymysql.Connection, sql: str) -> None:
    assert value(client, sql) == READER


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM test.whoami FOR UPDATE",
        "SELECT id FROM test.whoami LOCK IN SHARE MODE",
        "SELECT id FROM test.whoami WHERE IS_FREE_LOCK('x')",
        "SELECT id FROM test.whoami WHERE @@autocommit",
        "SELECT id FROM test.whoami WHERE @never_set IS NULL",
        "SELECT id FROM test.whoami /*!50000 FOR UPDATE */",
        "SELECT id FROM test.whoami # it's\nFOR UPDATE",
    ],
)
def test_what_goes_to_the_primary(client: pymysql.Connection, sql: str) -> None:
    assert value(client, sql) == PRIMARY
    assert who(client) == READER


@pytest.mark.parametrize(
    "sql", ["SELECT test.place()", "SELECT test.place ()", "SELECT test.now()"]
)
def test_a_stored_function_ties_whatever_its_name_is(client: pymysql.Connection, sql: str) -> None:
    assert value(client, sql) == PRIMARY
    assert who(client) == PRIMARY


def test_a_transaction_stays_on_the_primary(client: pymysql.Connection) -> None:
    for end in ("COMMIT", "ROLLBACK"):
        rows(client, "BEGIN")
        assert who(client) == PRIMARY
        with pytest.raises(pymysql.ProgrammingError):
            rows(client, "SELECT * FROM test.no_such_table")
        assert who(client) == PRIMARY
        rows(client, end)
        assert who(client) == READER


def test_without_autocommit_everything_stays_on_the_primary(client: pymysql.Connection) -> None:
    client.autocommit(False)
    assert who(client) == PRIMARY
    client.rollback()
    assert who(client) == PRIMARY
    client.autocommit(True)
    assert who(client) == READER


@pytest.mark.parametrize("between", [[], [WHO], [WHO, "SELECT 1 FROM test.whoami FOR UPDATE"]])
def test_the_last_insert_id_is_the_clients(
    proxy: Proxy, client: pymysql.Connection, between: list[str]
) -> None:
    with client.cursor() as cursor:
        cursor.execute("INSERT INTO test.numbers (a) VALUES (9)")
        inserted = cursor.lastrowid
    for sql in between:
        rows(client, sql)
        with proxy.connect() as other:
            rows(other, "INSERT INTO test.numbers (a) VALUES (9)")
    assert value(client, "SELECT LAST_INSERT_ID()") == inserted
    assert value(client, "SELECT @@last_insert_id") == inserted


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            "INSERT INTO test.numbers (a) VALUES (9) RETURNING a", marks=mariadb_has("RETURNING")
        ),
        "SELECT LAST_INSERT_ID(77)",
        "UPDATE test.numbers SET a = LAST_INSERT_ID(9) WHERE id = 1",
        "INSERT INTO test.numbers VALUES (1, 9) ON DUPLICATE KEY UPDATE a = 9",
        "INSERT INTO test.numbers VALUES (4711, 9)",
        "DO 1; INSERT INTO test.numbers (a) VALUES (9)",
        "SET last_insert_id = 88",
        "CREATE TABLE test.ai (id INT AUTO_INCREMENT KEY, x INT) SELECT 5 AS x",
    ],
)
def test_each_way_to_a_last_insert_id_is_the_servers(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb, change: str
) -> None:
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=SMALL)
    ids = []
    for through in (False, True):
        port = proxy.port if through else mariadb.port
        with pymysql.connect(
            host="127.0.0.1",
            port=port,
            user="u",
            password="p",
            autocommit=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
        ) as client:
            if through:
                proxy.connect(client_flag=CLIENT.MULTI_STATEMENTS).close()
            rows(client, "INSERT INTO test.numbers (a) VALUES (9)")
            start = value(client, "SELECT LAST_INSERT_ID()")
            rows(client, change)
            who(client)
            found = value(client, "SELECT LAST_INSERT_ID()")
            # Values that the table gave are seen as how many later they came.
            ids.append(found if found in (9, 77, 88) else found - start)
            rows(client, "DROP TABLE IF EXISTS test.ai")
            rows(client, "DELETE FROM test.numbers WHERE id > 3")
            rows(client, "UPDATE test.numbers SET a = id")
            rows(client, "ALTER TABLE test.numbers AUTO_INCREMENT = 4")
    assert ids[0] == ids[1]


def test_what_no_connection_knows_is_refused(client: pymysql.Connection) -> None:
    who(client)
    with pytest.raises(pymysql.err.OperationalError) as error:
        rows(client, "SHOW PROFILES")
    assert error.value.args[0] == 1105


def test_what_is_asked_in_other_words_is_answered(client: pymysql.Connection) -> None:
    rows(client, "SELECT id FROM test.numbers ORDER BY id LIMIT 2")
    assert value(client, "SELECT FOUND_ROWS() + 1") == 3
    rows(client, "DO 1")
    assert value(client, "SELECT ROW_COUNT() + 1") == 1


@mariadb_has("sequences")
def test_the_last_value_of_a_sequence_is_asked_where_it_is_known(
    client: pymysql.Connection,
) -> None:
    who(client)
    with pytest.raises(pymysql.err.OperationalError) as error:
        rows(client, "SELECT LASTVAL(test.sequence)")
    assert error.value.args[0] == 1105
    rows(client, "SELECT NEXTVAL(test.sequence)")
    assert value(client, "SELECT LASTVAL(test.sequence)") >= 1


def test_profiles_are_nobody_elses(proxy: Proxy) -> None:
    client = proxy.connect()
    rows(client, "SET profiling = 1")
    rows(client, "SELECT 'secret'")
    client._execute_command(0x1F, b"")
    client._read_ok_packet()
    client.close()
    with proxy.connect() as other:
        rows(other, "SET profiling = 1")
        assert "secret" not in repr(rows(other, "SHOW PROFILES"))


def test_who_reads_what_is_not_committed_reads_on_the_primary(client: pymysql.Connection) -> None:
    assert who(client) == READER
    rows(client, "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
    assert who(client) == PRIMARY
    rows(client, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    assert who(client) == READER


def test_both_forms_of_a_transaction_setting_go_along(client: pymysql.Connection) -> None:
    rows(client, "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    rows(client, "SET SESSION TRANSACTION READ ONLY")
    name = "transaction" if IS_MYSQL else "tx"
    assert who(client) == READER
    assert rows(client, f"SELECT @@{name}_isolation, @@{name}_read_only") == [("SERIALIZABLE", 1)]


def test_a_new_client_has_no_last_insert_id(proxy: Proxy, client: pymysql.Connection) -> None:
    rows(client, "INSERT INTO test.numbers (a) VALUES (9)")
    rows(client, WHO)
    with proxy.connect() as other:
        assert value(other, "SELECT LAST_INSERT_ID()") == 0


def test_found_rows_are_those_of_the_query_before(client: pymysql.Connection) -> None:
    rows(client, "SELECT SQL_CALC_FOUND_ROWS id FROM test.numbers WHERE a < 9 LIMIT 1")
    assert value(client, "SELECT FOUND_ROWS()") == 5


def test_row_count_is_that_of_the_write_before(client: pymysql.Connection) -> None:
    rows(client, "UPDATE test.numbers SET a = a + 100 WHERE a < 9")
    assert value(client, "SELECT ROW_COUNT()") == 3
    rows(client, "UPDATE test.numbers SET a = a - 100 WHERE a > 100")


@pytest.mark.parametrize(
    "sql", ["SELECT CAST('x' AS SIGNED)", "SELECT CAST('x' AS SIGNED) FOR UPDATE"]
)
def test_warnings_are_those_of_the_statement_before(client: pymysql.Connection, sql: str) -> None:
    rows(client, sql)
    for _ in range(2):
        (warning,) = rows(client, "SHOW WARNINGS")
        assert "INTEGER value: 'x'" in warning[2]


def test_user_variables_stay(client: pymysql.Connection) -> None:
    rows(client, "SET @x = 5")
    assert rows(client, "SELECT @x, id FROM test.whoami") == [(5, PRIMARY)]
    assert who(client) == PRIMARY


def test_user_variables_that_a_query_sets_stay(client: pymysql.Connection) -> None:
    rows(client, "SELECT id INTO @y FROM test.whoami")
    assert value(client, "SELECT @y") == PRIMARY


@pytest.mark.parametrize(
    "setting",
    [
        "SET sql_mode = 'ANSI_QUOTES'",
        "SET SESSION sql_mode = CONCAT('ANSI', '_QUOTES')",
        "SET @@session.sql_mode='ANSI_QUOTES', @@local.wait_timeout = 1000",
    ],
)
def test_settings_go_with_the_client(
    proxy: Proxy, client: pymysql.Connection, setting: str
) -> None:
    quoted = 'SELECT "id" FROM test.whoami'
    rows(client, setting)
    assert value(client, quoted) == READER
    with proxy.connect() as other:
        assert value(other, quoted) == "id"
        assert value(client, quoted) == READER
        assert value(other, quoted) == "id"
        assert value(other, f"{quoted} FOR UPDATE") == "id"
        assert value(client, f"{quoted} FOR UPDATE") == PRIMARY


def test_the_last_setting_counts(client: pymysql.Connection) -> None:
    for mode in ("ANSI_QUOTES", "", "ANSI_QUOTES", ""):
        rows(client, f"SET sql_mode = '{mode}'")
        expected = READER if mode else "id"
        assert value(client, 'SELECT "id" FROM test.whoami') == expected


class Quiet(pymysql.Connection):  # type: ignore[misc] # PyMySQL has no types
    """A client that tells its character set in the login only."""

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        pass


def test_each_client_has_the_character_set_of_its_login(proxy: Proxy) -> None:
    clients = [
        Quiet(host="127.0.0.1", port=proxy.port, user="u", password="p", charset=charset)
        for charset in ("latin1", "utf8mb4", "latin2")
    ]
    sql = "SELECT HEX(CONVERT('\u00e9' USING utf16)), id FROM test.whoami"
    for _ in range(2):
        for client in clients:
            client.autocommit(True)
            assert rows(client, sql) == [("00E9", READER)]
            assert rows(client, f"{sql} FOR UPDATE") == [("00E9", PRIMARY)]
    for client in clients:
        client.close()


def test_set_names_goes_with_the_client(proxy: Proxy, client: pymysql.Connection) -> None:
    sql = "SELECT CHARSET('x') FROM test.whoami"
    rows(client, "SET NAMES latin2")
    assert value(client, sql) == "latin2"
    with proxy.connect() as other:
        assert value(other, sql) == "utf8mb4"
    assert value(client, sql) == "latin2"


def test_a_setting_that_is_refused_is_none(client: pymysql.Connection) -> None:
    with pytest.raises(pymysql.OperationalError, match="no_such_variable"):
        rows(client, "SET no_such_variable = 1")
    assert who(client) == READER


def test_temporary_tables_stay(client: pymysql.Connection) -> None:
    rows(client, "CREATE TEMPORARY TABLE test.temp SELECT 3 AS a")
    assert who(client) == PRIMARY
    assert value(client, "SELECT a FROM test.temp") == 3


def test_what_a_procedure_leaves_stays(client: pymysql.Connection) -> None:
    rows(client, "CALL test.prepare_it()")
    assert value(client, "SELECT a FROM test.made") == 7


def test_locks_end_with_their_client(proxy: Proxy, client: pymysql.Connection) -> None:
    other = proxy.connect()
    assert value(other, "SELECT GET_LOCK('balance', 0)") == 1
    assert who(other) == PRIMARY
    assert value(client, "SELECT IS_FREE_LOCK('balance')") == 0
    other.close()
    assert eventually(lambda: value(client, "SELECT IS_FREE_LOCK('balance')") == 1)


def test_locked_tables_stay_until_they_are_unlocked(client: pymysql.Connection) -> None:
    rows(client, "LOCK TABLES test.whoami READ")
    assert who(client) == PRIMARY
    rows(client, "UNLOCK TABLES")
    assert who(client) == READER


def test_prepared_statements_in_sql(client: pymysql.Connection) -> None:
    rows(client, "PREPARE s FROM 'SELECT id FROM test.whoami'")
    assert who(client) == PRIMARY
    rows(client, "DEALLOCATE PREPARE s")
    assert who(client) == READER
    rows(client, "PREPARE s FROM 'SELECT id FROM test.whoami'")
    assert value(client, "EXECUTE s") == PRIMARY


def command(client: Any, number: int, argument: bytes, packets: int) -> list[bytes]:
    """Sends a command as bytes and reads the payloads of its answer."""
    client._execute_command(number, argument)
    return [client._read_packet().get_all_data() for _ in range(packets)]


def test_prepared_statements_stay_while_they_are_open(client: pymysql.Connection) -> None:
    opened = command(client, COMMAND.COM_STMT_PREPARE, WHO.encode(), 3)
    (number,) = struct.unpack("<I", opened[0][1:5])
    assert who(client) == PRIMARY
    execute = struct.pack("<IBI", number, 0, 1)
    answer = command(client, COMMAND.COM_STMT_EXECUTE, execute, 5)
    assert answer[3] == b"\0\0" + struct.pack("<I", PRIMARY)
    assert who(client) == PRIMARY
    command(client, COMMAND.COM_STMT_CLOSE, struct.pack("<I", number), 0)
    assert who(client) == READER


def test_a_reset_connection_is_tied_to_nothing(client: pymysql.Connection) -> None:
    rows(client, "SET @x = 5, sql_mode = 'ANSI_QUOTES'")
    assert who(client) == PRIMARY
    command(client, 31, b"", 1)
    assert value(client, 'SELECT "id" FROM test.whoami') == "id"
    assert who(client) == READER
    assert value(client, "SELECT @x") is None


@pytest.mark.parametrize("by_command", [True, False])
def test_the_default_database_goes_with_the_client(
    proxy: Proxy, client: pymysql.Connection, by_command: bool
) -> None:
    with proxy.connect(database="test") as second:
        if by_command:
            client.select_db("other")
        else:
            rows(client, "USE `other`")
        for _ in range(2):
            assert value(client, "SELECT id FROM place") == READER * 10
            assert value(second, "SELECT id FROM whoami") == READER
            assert value(client, "SELECT id FROM place FOR UPDATE") == PRIMARY * 10
            assert value(second, "SELECT id FROM whoami FOR UPDATE") == PRIMARY


def test_a_database_that_is_not_there_is_an_error(client: pymysql.Connection) -> None:
    with pytest.raises(pymysql.OperationalError, match="Unknown database 'nowhere'"):
        rows(client, "USE nowhere")
    assert who(client) == READER


def test_several_statements_go_to_the_primary(proxy: Proxy) -> None:
    with proxy.connect(client_flag=CLIENT.MULTI_STATEMENTS) as client, client.cursor() as cursor:
        cursor.execute(f"{WHO}; {WHO}")
        found = list(cursor.fetchall())
        while cursor.nextset():
            found += cursor.fetchall()
        assert found == [(PRIMARY,), (PRIMARY,)]
        cursor.execute("SET @x = 1; SELECT 1")
        while cursor.nextset():
            pass
        assert value(client, "SELECT @x") == 1


def test_load_data_local(proxy: Proxy, mariadb: MariaDb, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("71\n72\n")
    with proxy.connect(local_infile=True) as client:
        rows(client, f"LOAD DATA LOCAL INFILE '{tmp_path}/data' INTO TABLE test.numbers (a)")
    found = mariadb.execute("SELECT a FROM test.numbers WHERE a IN (71, 72) ORDER BY a")
    assert found == ((71,), (72,))
    mariadb.execute("DELETE FROM test.numbers WHERE a > 9")


def outcome(connection: pymysql.Connection, sql: str) -> Any:
    try:
        return rows(connection, sql)
    except pymysql.err.MySQLError as error:
        return error.args


@pytest.mark.parametrize("sql", ["", "/* nothing */", "-- nothing", "# nothing", ";"])
def test_a_text_without_a_statement(client: pymysql.Connection, mariadb: MariaDb, sql: str) -> None:
    with mariadb.connect() as direct:
        assert outcome(client, sql) == outcome(direct, sql)
    assert who(client) == READER


def test_ping_and_statistics(client: pymysql.Connection) -> None:
    client.ping(reconnect=False)
    (statistics,) = command(client, COMMAND.COM_STATISTICS, b"", 1)
    assert statistics.startswith(b"Uptime")
    assert who(client) == READER


def test_the_binary_log_comes_from_the_primary(
    client: pymysql.Connection, mariadb: MariaDb
) -> None:
    file = mariadb.execute("SHOW BINARY LOG STATUS" if IS_MYSQL else "SHOW MASTER STATUS")[0][0]
    # Not to be waited for more of it: flag 1.
    argument = struct.pack("<IHI", 4, 1, 99) + file.encode()
    (event,) = command(client, COMMAND.COM_BINLOG_DUMP, argument, 1)
    assert event[0] == 0
    assert struct.unpack_from("<BI", event, 5)[1] == PRIMARY


def test_clients_that_leave_before_their_login_do_no_harm(proxy: Proxy) -> None:
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", proxy.port)) as raw:
            assert raw.recv(5)
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        proxy.connect(password="wrong")
    with proxy.connect() as client:
        assert who(client) == READER


def test_nothing_is_disturbed_by_a_reader_that_is_down(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[nobody], config=SMALL)
    fill(proxy)
    with proxy.connect() as client:
        assert who(client) == PRIMARY


def test_without_a_free_connection_the_client_has_to_come_again(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=SMALL)
    with proxy.connect() as holder:
        # Its connection, which went to the reader, is what this one has brought.
        client = proxy.connect()
        rows(holder, "BEGIN")
        assert who(client) == READER
        with pytest.raises(pymysql.OperationalError) as error:
            rows(client, "SELECT id FROM test.whoami FOR UPDATE")
        assert error.value.args[0] == 1040
        with pytest.raises(pymysql.err.MySQLError):
            client.ping(reconnect=False)
        with proxy.connect() as again:
            assert value(again, "SELECT id FROM test.whoami FOR UPDATE") == PRIMARY


def connections(server: MariaDb) -> int:
    """Connections through proxies: the one that asks does not count."""
    sql = "SELECT COUNT(*) - 1 FROM information_schema.processlist WHERE user = 'u'"
    return int(server.execute(sql)[0][0])


def test_pools_have_their_sizes(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    config = "[rwsplit]\nmin_idle_connections = 2\nmax_idle_connections = 3\n"
    assert eventually(lambda: connections(mariadb) == connections(replica) == 0)
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)
    clients = [proxy.connect() for _ in range(4)]
    assert (connections(mariadb), connections(replica)) == (2, 2)
    # While those of the primary are in use, more are opened.
    for client in clients[:2]:
        rows(client, "BEGIN")
    clients += [proxy.connect() for _ in range(3)]
    assert (connections(mariadb), connections(replica)) == (5, 2)
    for client in clients:
        client.close()
    # The two whose transaction was open are closed.
    assert eventually(lambda: connections(mariadb) == 3)
    assert connections(replica) == 2
    with proxy.connect() as client:
        assert who(client) == READER


def test_many_idle_clients_share_few_connections(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    """Each has written, so each has a last insert id of its own, and most of them wait for their turn."""
    assert eventually(lambda: connections(mariadb) == connections(replica) == 0)
    proxy = start_proxy(
        SCRIPT,
        backends=[mariadb],
        read_only=[replica],
        config="[rwsplit]\nwait_seconds = 60\n",
        options={
            "pyproxy-event-loop": "own",
            "pyproxy-backend-max-connections": 8,
            "pyproxy-login-timeout": 60,
            "pyproxy-connect-timeout": 60,
        },
    )
    with ThreadPoolExecutor(50) as executor:
        clients = list(executor.map(lambda _: proxy.connect(), range(200)))

        def write(client: pymysql.Connection) -> int:
            with client.cursor() as cursor:
                cursor.execute("INSERT INTO test.numbers (a) VALUES (5000)")
                return int(cursor.lastrowid)

        ids = list(executor.map(write, clients))
        assert len(set(ids)) == 200
        kept = executor.map(lambda client: value(client, "SELECT LAST_INSERT_ID()"), clients)
        assert list(kept) == ids
        assert connections(mariadb) <= 8
        assert connections(replica) <= 8
    for client in clients:
        client.close()
    mariadb.execute("DELETE FROM test.numbers WHERE a = 5000")


def test_debug_output_names_the_backend(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    config = SMALL + "is_debug = true\n[auto_config]\nallowed_users = u\n"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)
    fill(proxy)
    with proxy.connect() as client:
        who(client)
        proxy.wait_for_stdout(f"[rw_splitting] {replica.address} [COM_QUERY] {WHO}\n")
        rows(client, "PROXY SET GLOBAL rwsplit.is_debug = false")
        before = proxy.stdout()
        who(client)
        assert proxy.stdout() == before


def test_many_clients_at_once_do_not_mix(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    config = "[rwsplit]\nmin_idle_connections = 8\n"
    limit = "max_execution_time" if IS_MYSQL else "max_statement_time"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)

    def work(number: int) -> None:
        with proxy.connect() as client:
            rows(client, f"SET {limit} = {number + 10}")
            for _ in range(10):
                with client.cursor() as cursor:
                    cursor.execute(f"INSERT INTO test.numbers (a) VALUES ({number + 1000})")
                    inserted = cursor.lastrowid
                assert who(client) == READER
                assert value(client, f"SELECT @@{limit}") == number + 10
                assert value(client, "SELECT LAST_INSERT_ID()") == inserted

    # They bring the connections that the others use, eight to each server.
    idle = [proxy.connect() for _ in range(16)]
    with ThreadPoolExecutor(6) as executor:
        for done in [executor.submit(work, number) for number in range(6)]:
            done.result()
    for client in idle:
        client.close()
    assert mariadb.execute("SELECT COUNT(*) FROM test.numbers WHERE a > 999") == ((60,),)
    mariadb.execute("DELETE FROM test.numbers WHERE a > 9")


@pytest.mark.skipif(IS_MYSQL, reason="MySQL has no RETURNING")
def test_rows_of_returning_are_not_found(client: pymysql.Connection) -> None:
    for tie in ("DO 1", "DO @x := 1"):
        rows(client, tie)
        rows(client, "SELECT id FROM test.numbers LIMIT 2")
        rows(client, "SET sql_mode = ''")
        rows(client, "INSERT INTO test.numbers (a) VALUES (7) RETURNING id")
        assert value(client, "SELECT FOUND_ROWS()") == 2


@pytest.mark.parametrize("tie", ["DO 1", "BEGIN"])
def test_a_statement_that_fails_finds_nothing(client: pymysql.Connection, tie: str) -> None:
    for sql in (
        "UPDATE test.numbers SET nothing = 3",
        "INSERT INTO test.nowhere VALUES (1)",
        "SELECT @@nothing",
        "SELECT * FROM test.nowhere",
    ):
        rows(client, tie)
        rows(client, "SELECT id FROM test.numbers LIMIT 2")
        with pytest.raises(pymysql.MySQLError):
            rows(client, sql)
        assert value(client, "SELECT FOUND_ROWS()") == 2
        rows(client, "COMMIT")
