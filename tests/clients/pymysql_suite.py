"""What PyMySQL users do, against the proxy whose address is given.

Run by the integration tests: pymysql_suite.py HOST PORT USER PASSWORD DATABASE [--rewriting] [--ca FILE]
With --ca everything goes over TLS, with a certificate of that CA. With --rewriting the proxy's script turns the word "rewritten" in a query into "changed".
Prints one line per test and at the end "passed N"; exits with 1 at the first failure.
"""

import argparse
import datetime
import decimal
import tempfile
import threading

import pymysql
import pymysql.cursors
from pymysql.constants import CLIENT

BIG = 20 * 1024 * 1024


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("host", "port", "user", "password", "database"):
        parser.add_argument(name)
    parser.add_argument("--rewriting", action="store_true")
    parser.add_argument("--ca")
    return parser.parse_args()


ARGS = arguments()


def connect(**options):
    settings = {
        "host": ARGS.host,
        "port": int(ARGS.port),
        "user": ARGS.user,
        "password": ARGS.password,
        "database": ARGS.database,
        "max_allowed_packet": 4 * BIG,
        "ssl": {"ca": ARGS.ca} if ARGS.ca else None,
        **options,
    }
    return pymysql.connect(**settings)


def one(cursor, sql, values=None):
    cursor.execute(sql, values)
    return cursor.fetchone()


def test_with_and_without_database():
    with connect() as conn, conn.cursor() as cursor:
        assert one(cursor, "SELECT DATABASE()") == (ARGS.database,)
    with connect(database=None) as conn, conn.cursor() as cursor:
        assert one(cursor, "SELECT DATABASE()") == (None,)


def test_wrong_password():
    try:
        connect(password="wrong")
    except pymysql.err.OperationalError as error:
        assert error.args[0] == 1045, error
    else:
        raise AssertionError("a wrong password is accepted")


def test_types():
    values = (
        -5,
        2.5,
        decimal.Decimal("1.50"),
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 12, 34, 56),
        "žluťoučký 🐎",
        b"\x00\xff",
        None,
    )
    sql = (
        "SELECT %s, %s, CAST(%s AS DECIMAL(10,2)), CAST(%s AS DATE), CAST(%s AS DATETIME), "
        "%s, CAST(%s AS BINARY), %s"
    )
    with connect(charset="utf8mb4") as conn, conn.cursor() as cursor:
        row = one(cursor, sql, values)
        assert row == values, row


def test_many_rows():
    with connect() as conn, conn.cursor() as cursor:
        cursor.execute("SELECT seq FROM test.seq_1_to_100000")
        assert sum(row[0] for row in cursor) == 5000050000


def test_unbuffered_cursor():
    with connect(cursorclass=pymysql.cursors.SSCursor) as conn, conn.cursor() as cursor:
        cursor.execute("SELECT seq, REPEAT('x', 500) FROM test.seq_1_to_20000")
        assert sum(1 for _ in cursor) == 20000


def test_big_blob_both_ways():
    blob = bytes(range(256)) * (BIG // 256)
    with connect() as conn, conn.cursor() as cursor:
        (back,) = one(cursor, "SELECT %s", (blob,))
        back = back if isinstance(back, bytes) else back.encode("latin-1")
        assert len(back) == len(blob)
        assert back == blob


def test_multi_statements():
    with connect(client_flag=CLIENT.MULTI_STATEMENTS) as conn, conn.cursor() as cursor:
        cursor.execute("SELECT 1; DO 0; SELECT 2, 3")
        rows = [list(cursor.fetchall())]
        while cursor.nextset():
            rows.append(list(cursor.fetchall()))
        assert rows == [[(1,)], [], [(2, 3)]], rows


def test_error_and_go_on():
    with connect() as conn, conn.cursor() as cursor:
        try:
            cursor.execute("SELECT nosuch")
        except pymysql.err.OperationalError as error:
            assert error.args[0] == 1054, error
        else:
            raise AssertionError("no error")
        assert one(cursor, "SELECT 1") == (1,)


def test_load_data_local():
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"{number}\n" for number in range(5000))
        file.flush()
        with connect(local_infile=True) as conn, conn.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE loaded (a INT)")
            cursor.execute(f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE loaded")
            assert one(cursor, "SELECT COUNT(*), SUM(a) FROM loaded") == (5000, 12497500)


def test_transaction():
    with connect() as conn, conn.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB")
        conn.begin()
        cursor.execute("INSERT INTO tx VALUES (1)")
        conn.rollback()
        cursor.execute("INSERT INTO tx VALUES (2)")
        assert cursor.rowcount == 1
        conn.commit()
        assert one(cursor, "SELECT SUM(a) FROM tx") == (2,)


def test_ping_and_select_db():
    with connect() as conn:
        conn.ping(reconnect=False)
        conn.select_db("mysql")
        with conn.cursor() as cursor:
            assert one(cursor, "SELECT DATABASE()") == ("mysql",)


def test_parallel_connections():
    failures = []

    def work(number):
        try:
            with connect() as conn, conn.cursor() as cursor:
                for step in range(20):
                    value = number * 1000 + step
                    assert one(cursor, "SELECT %s", (value,)) == (value,)
        except Exception as error:  # reported by the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_script():
    expected = "changed" if ARGS.rewriting else "rewritten"
    with connect() as conn, conn.cursor() as cursor:
        assert one(cursor, "SELECT 'rewritten'") == (expected,)


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    for test in tests:
        test()
        print("ok", test.__name__, flush=True)
    print("passed", len(tests))


if __name__ == "__main__":
    main()
