"""The script `analyze_query`: its statistics, and which queries it prints."""

from __future__ import annotations

import re
import statistics
from typing import Any

import pyproxy
import pytest
from pyproxy.testing import Error, FakeServer, Result, Session

SCRIPT = "pyproxy.hooks.analyze_query"
COUNTERS = "SELECT * FROM histogram.queries"


@pytest.fixture(autouse=True)
def times_of_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query takes as many microseconds as its comment says."""

    def query_time(inj: pyproxy.Injection) -> int:
        comment = re.search(rb"/\*(\d+)\*/", inj.query)
        return int(comment[1]) if comment else 1

    monkeypatch.setattr(pyproxy.Injection, "query_time", property(query_time))


def config(**settings: Any) -> dict[str, Any]:
    return {"analyze_query": {"min_queries": 50, **settings}}


def make_usual(session: Session, kind: str = "SELECT 1") -> None:
    """Sixty runs of 100 to 101 microseconds."""
    for n in range(60):
        session.query(f"{kind} /*{100 + n % 2}*/")


def test_average_and_deviation() -> None:
    times = [100, 250, 1_000_000_000, 1_000_000_001, 7]
    with Session(SCRIPT) as session:
        for time in times:
            session.query(f"SELECT a FROM t /*{time}*/")
        session.query("SELECT 1 /*5*/")
        answer = session.query(COUNTERS)
        assert len(session.server_queries) == len(times) + 1
    assert answer.rows == [
        (
            "SELECT `a` FROM `t` ",
            "5",
            f"{statistics.mean(times):.2f}",
            f"{statistics.stdev(times):.2f}",
        ),
        ("SELECT ? ", "1", "5.00", None),
    ]
    assert answer.fields is not None
    assert [(field.name, field.type) for field in answer.fields] == [
        ("query", 254),
        ("COUNT(*)", 3),
        ("AVG(qtime)", 5),
        ("STDDEV(qtime)", 5),
    ]


def test_small_differences_of_long_times_are_not_lost() -> None:
    # A sum of squares in floating point says 0 here, or takes the root of a negative number.
    times = [10**12 + n for n in (4, 7, 13, 16)]
    with Session(SCRIPT) as session:
        for time in times:
            session.query(f"SELECT 1 /*{time}*/")
        rows = session.query(COUNTERS).rows
    assert rows is not None
    assert float(str(rows[0][3])) == pytest.approx(5.477, abs=0.01)


def test_backends_and_databases_are_counted_apart() -> None:
    with Session(SCRIPT, backends=[FakeServer(), FakeServer()]) as session:
        # Each new client goes to the backend with fewer clients.
        clients = [session.new_client(database=name) for name in ("a", "a", "b")]
        for number, client in enumerate(clients):
            client.query(f"SELECT 1 /*{number}*/")
            client.query(f"SELECT 1 /*{number}*/")
        rows = session.query(COUNTERS).rows
    assert rows is not None
    assert [row[1:3] for row in rows] == [("2", "0.00"), ("2", "1.00"), ("2", "2.00")]


@pytest.mark.parametrize(("cutoff", "shown"), [(10, "SELECT `a_..."), (0, None), (100, None)])
def test_long_texts_are_cut(cutoff: int, shown: str | None) -> None:
    with Session(SCRIPT, config=config(query_cutoff=cutoff)) as session:
        session.query("SELECT a_long_name FROM t")
        rows = session.query(COUNTERS).rows
    assert rows is not None
    assert rows[0][0] == (shown or "SELECT `a_long_name` FROM `t` ")


def test_a_slow_query_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT, config=config(), user="app", database="shop") as session:
        make_usual(session)
        assert capsys.readouterr().out == ""
        session.query("SELECT\nb FROM t /*2500*/")
    title, *lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"# \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[1@127\.0\.0\.1:3306\] user: app, db: shop", title
    )
    times = [*(100 + n % 2 for n in range(60)), 2500]
    assert lines == [
        "  query:        SELECT\\nb FROM t /*2500*/",
        "  normalized:   SELECT `b` FROM `t`",
        "  query time:   2500.00 us",
        f"  all queries:  average {statistics.mean(times):.2f} us, "
        f"deviation {statistics.stdev(times):.2f} us, count 61",
        "  of its kind:  average 2500.00 us, deviation 0.00 us, count 1",
        "  slower than:  all queries",
    ]


@pytest.mark.parametrize(
    ("time", "text"),
    [(10000, "10000.00 us"), (10001, "10.00 ms"), (10**7, "10000.00 ms"), (10**8, "100.00 s")],
)
def test_units(capsys: pytest.CaptureFixture[str], time: int, text: str) -> None:
    with Session(SCRIPT, config=config()) as session:
        make_usual(session)
        session.query(f"SELECT 2 /*{time}*/")
    assert f"  query time:   {text}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "time"),
    [
        ({"min_query_time": 3000}, 2999),
        ({"min_queries": 61}, 3000),
        ({"analyze_queries": False}, 3000),
        ({}, 999),
        ({"min_query_time": 0}, 101),
    ],
)
def test_what_is_not_printed(
    capsys: pytest.CaptureFixture[str], settings: dict[str, Any], time: int
) -> None:
    with Session(SCRIPT, config=config(**settings)) as session:
        make_usual(session)
        session.query(f"SELECT 2 /*{time}*/")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("is_on", [True, False])
def test_slow_for_its_kind(capsys: pytest.CaptureFixture[str], is_on: bool) -> None:
    with Session(SCRIPT, config=config(log_slower_queries=is_on)) as session:
        make_usual(session)
        # So different that nothing is slow among all of them.
        for time in (10**6, 10**7, 2 * 10**7):
            session.query(f"DO 1 /*{time}*/")
        capsys.readouterr()
        session.query("SELECT 1 /*1500*/")
    printed = capsys.readouterr().out
    assert printed.endswith("slower than:  queries of its kind\n") if is_on else printed == ""


def follow_up() -> dict[str, Any]:
    return config(auto_explain=True, auto_processlist=True)


NEXT = "SELECT * FROM next"
ENTRY = r"# \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[1@127\.0\.0\.1:3306\] "


def sent(session: Session, count: int) -> list[str]:
    """The last queries that the server got."""
    return [query.text for query in session.server_queries[-count:]]


def test_processlist_and_explain_follow(capsys: pytest.CaptureFixture[str]) -> None:
    server = FakeServer().on("SELECT 2 /*3000*/", Result(["2"], [("2",)]))
    server.on("SHOW FULL PROCESSLIST", Result(["Id", "Info"], [("5", None), ("6", "a\nb")]))
    server.on("EXPLAIN SELECT 2 /*3000*/", Result(["id", "table"], [("1", "t")]))
    server.on(NEXT, Result(["n"], [("next",)]))
    with Session(SCRIPT, config=follow_up(), server=server) as session:
        make_usual(session)
        assert session.query("SELECT 2 /*3000*/").rows == [("2",)]
        assert capsys.readouterr().out.endswith("  slower than:  all queries\n")
        assert sent(session, 1) == ["SELECT 2 /*3000*/"]
        assert session.query(NEXT).rows == [("next",)]
        assert sent(session, 3) == ["SHOW FULL PROCESSLIST", "EXPLAIN SELECT 2 /*3000*/", NEXT]
        assert re.fullmatch(
            f"{ENTRY}SHOW FULL PROCESSLIST\n  Id: 5, Info: NULL\n  Id: 6, Info: a\\\\nb\n"
            rf"{ENTRY}EXPLAIN SELECT 2 /\*3000\*/\n  id: 1, table: t\n",
            capsys.readouterr().out,
        )
        assert session.query(NEXT).ok
        assert sent(session, 2) == [NEXT, NEXT]
        # No second answer that had to be dropped.
        assert session.log == []
    assert capsys.readouterr().out == ""


def test_a_follow_up_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    server = FakeServer().on("SHOW FULL PROCESSLIST", Error(1227))
    with Session(SCRIPT, config=config(auto_processlist=True), server=server) as session:
        make_usual(session)
        assert session.query("SELECT 2 /*3000*/").ok
        assert session.query(NEXT).ok
    assert capsys.readouterr().out.endswith("] SHOW FULL PROCESSLIST\n  (failed)\n")


@pytest.mark.parametrize(
    "query",
    [
        "SHOW WARNINGS",
        "SHOW COUNT(*) ERRORS",
        "SELECT ROW_COUNT()",
        "SELECT ROW_COUNT() FROM t",
        "INSERT INTO t VALUES (FOUND_ROWS())",
        "SELECT @@warning_count",
        "SHOW WARNINGS; SELECT * FROM t",
        "SELECT 1; SHOW WARNINGS; SELECT * FROM t",
        # MariaDB keeps the warnings over it.
        "SELECT 1",
        "COMMIT",
    ],
)
def test_nothing_comes_between_a_statement_and_what_asks_about_it(query: str) -> None:
    with Session(SCRIPT, config=follow_up()) as session:
        make_usual(session)
        session.query("SELECT 2 /*3000*/")
        for _ in range(2):
            session.query(query)
        assert sent(session, 3) == ["SELECT 2 /*3000*/", query, query]
        assert session.execute(session.prepare("SELECT ROW_COUNT()")).ok
        assert session.command(b"\x0e").ok
        assert sent(session, 5)[:2] == [query, query]
        session.query(NEXT)
        assert sent(session, 3) == ["SHOW FULL PROCESSLIST", "EXPLAIN SELECT 2 /*3000*/", NEXT]


@pytest.mark.parametrize(
    "query",
    [
        "USE other",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET insert_id = 5",
        "LOCK TABLES next READ",
        "SELECT a INTO @a FROM t",
    ],
)
def test_a_session_that_is_another_now_is_left_alone(query: str) -> None:
    with Session(SCRIPT, config=follow_up()) as session:
        make_usual(session)
        session.query("SELECT 2 /*3000*/")
        session.query(query)
        session.query(NEXT)
        session.query(NEXT)
        assert sent(session, 4) == ["SELECT 2 /*3000*/", query, NEXT, NEXT]


def test_a_further_slow_query_comes_first() -> None:
    with Session(SCRIPT, config=config(auto_explain=True)) as session:
        make_usual(session)
        session.query("SELECT 2 /*3000*/")
        session.query("SELECT 3 /*300000*/")
        session.query(NEXT)
        assert sent(session, 2) == ["EXPLAIN SELECT 3 /*300000*/", NEXT]


def test_executions_of_prepared_statements_are_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # An execution has no comment of its own.
    times = iter([*[100, 101] * 30, 2500, 100])
    monkeypatch.setattr(pyproxy.Injection, "query_time", property(lambda inj: next(times)))
    with Session(SCRIPT, config=follow_up(), database="shop") as session:
        statement = session.prepare("SELECT a FROM t WHERE b = ?")
        session.query("USE elsewhere")
        for _ in range(60):
            assert session.execute(statement, [1]).ok
        counters = session.query(COUNTERS).rows
        printed = capsys.readouterr().out.splitlines()
        session.query(NEXT)
        assert session.log == []
        # What has parameters cannot be explained.
        assert sent(session, 2) == ["SHOW FULL PROCESSLIST", NEXT]
    assert counters is not None
    assert [row[:2] for row in counters] == [
        ("USE `elsewhere` ", "1"),
        ("SELECT `a` FROM `t` WHERE `b` = ? ", "60"),
    ]
    assert printed[0].endswith("] user: u, db: shop")
    assert printed[1:3] == [
        "  query:        SELECT a FROM t WHERE b = ?",
        "  normalized:   SELECT `a` FROM `t` WHERE `b` = ?",
    ]


@pytest.mark.parametrize(
    ("query", "explained"),
    [
        ("select 2 /*3000*/", True),
        ("/*3000*/ SELECT 2 ; ", True),
        ("UPDATE t SET a = 1 /*3000*/", False),
        ("SELECT 2; DELETE FROM t /*3000*/", False),
        ("SELECT 2 /*! ; DELETE FROM t */ /*3000*/", False),
        ("SELECT 'a'\"b\"; DELETE FROM t; SELECT 'x' /*3000*/", False),
        ("SELECT 2 # '\n; DELETE FROM t # ' /*3000*/", False),
        ("SELECT failing /*3000*/", False),
    ],
)
def test_what_is_explained(query: str, explained: bool) -> None:
    server = FakeServer().on("SELECT failing /*3000*/", Error(1054))
    with Session(SCRIPT, config=config(auto_explain=True), server=server) as session:
        make_usual(session)
        session.query(query)
        session.query(NEXT)
        assert sent(session, 2)[0] == (f"EXPLAIN {query}" if explained else query)


def test_failed_queries_and_other_commands() -> None:
    with Session(SCRIPT, server=FakeServer().on("SELECT 1", Error(1064))) as session:
        assert session.query("SELECT 1").error is not None
        assert session.command(b"\x0e").ok
        assert session.prepare("SELECT 2").id is not None
        rows = session.query(COUNTERS).rows
    assert rows is not None
    assert [row[:2] for row in rows] == [("SELECT ? ", "1")]


def test_emptying_while_a_query_runs() -> None:
    with Session(SCRIPT) as session:
        other = session.new_client()
        other.connect()

        def run_meanwhile(sql: str) -> Error:
            assert other.query("DELETE FROM histogram.queries").ok
            return Error(1064)

        session.server.on("SELECT 1", run_meanwhile)
        session.query("SELECT 1")
        rows = session.query(COUNTERS).rows
    assert rows is not None
    assert [row[1] for row in rows] == ["1"]


def test_settings_can_be_changed() -> None:
    with Session(SCRIPT, config={"auto_config": {"allowed_users": ("u",)}}) as session:
        assert session.query("PROXY SET GLOBAL analyze_query.analyze_queries = false").ok
        session.query("SELECT 1")
        assert session.query(COUNTERS).rows == []
