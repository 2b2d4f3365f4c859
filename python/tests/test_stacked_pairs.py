"""All pairs of ready-made scripts, in both orders: each does what it is for, or the pair is refused."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from typing import NamedTuple

import pyproxy.hooks
import pytest
import services
from pyproxy.testing import Error, FakeServer, Result, Session

SCRIPT = "pyproxy.hooks.load_multi"
PRIMARY, REPLICA = 0, 1
STEADY = "SELECT name FROM shop.t"
SELECT = "SELECT email FROM customers WHERE id = 5"
EMAIL = {"name": "email", "org_name": "email", "table": "c", "org_table": "customers", "type": 253}
REPLICATES = {
    "Master_Host": "primary",
    "Master_Log_File": "log.1",
    "Read_Master_Log_Pos": 1000,
    "Relay_Master_Log_File": "log.1",
    "Exec_Master_Log_Pos": 1000,
    "Slave_IO_Running": "Yes",
    "Slave_SQL_Running": "Yes",
    "Seconds_Behind_Master": 0,
}
FRONT = "*" + sha1(sha1(b"front").digest()).hexdigest()
CONFIG = f"""
[masking_rules]
customers.email = text:hidden
[firewall]
allow_unlisted = true
mode = enforce
[firewall_patterns]
no_drop = (?i)drop table
[commit_obfuscator]
probability = 1
[rate_limit_users]
slow = queries_per_second=0.001 burst=2
[quota_users]
metered = queries_per_second=0.001 burst=2
[http_policy]
url = http://127.0.0.1:1/
[result_cache]
ttl = 60
[tee]
address = 127.0.0.1:1
recheck_after = 0
[login_mapping]
unknown_users = pass
[login_mapping_users]
app = {FRONT} shop_rw back
[rwsplit]
min_idle_connections = 1
[read_your_writes]
min_idle_connections = 1
[ro_balance]
min_idle_connections = 1
[ro_pooling]
min_idle_connections = 1
[query_log]
path = {{folder}}/queries.log
[load_multi]
scripts = {{scripts}}
directory = {{folder}}
"""
# Waits in every hook.
WAITS = """
import asyncio

async def connect_server(proxy): await asyncio.sleep(0)
async def read_handshake(proxy): await asyncio.sleep(0)
async def read_auth(proxy): await asyncio.sleep(0)
async def read_auth_result(proxy, auth): await asyncio.sleep(0)

async def read_query(proxy, packet):
    await asyncio.sleep(0)
    proxy.queries.append(1, packet, resultset_is_needed=packet[0] == proxy.COM_QUERY)
    return proxy.PROXY_SEND_QUERY

async def read_query_result(proxy, inj):
    await asyncio.sleep(0)
"""


def server() -> FakeServer:
    fake = FakeServer(users={"u": "p", "slow": "p", "metered": "p", "shop_rw": "back"})
    fake.on(STEADY, Result(["name"], [("Ada",)]))
    definition = "CREATE TABLE `t` (\n  `name` varchar(9)\n) ENGINE=InnoDB"
    columns = ["Table", "Create Table"]
    fake.on("SHOW CREATE TABLE `shop`.`t`", Result(columns, [("t", definition)]))
    fake.on(SELECT, Result([EMAIL], [("ada@example.com",)]))
    fake.on("UPDATE lock", Error(1205, "HY000", "Lock wait timeout exceeded"))
    fake.on("SHOW SLAVE STATUS", Result(list(REPLICATES), [tuple(REPLICATES.values())]))
    fake.on("SELECT @@character_set_client", Result(["x"], [("utf8mb4",)]))
    values = Result([("gender", 253)], [("f",), ("m",)])
    return fake.on(VALUES, values)


VALUES = (
    "SELECT DISTINCT `gender` FROM `staff` WHERE `gender` IS NOT NULL ORDER BY `gender` LIMIT 1001"
)


class Stack(NamedTuple):
    """A running stack, and where its scripts leave what they have to say."""

    scripts: tuple[str, ...]
    session: Session
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def printed(self) -> str:
        return self.capsys.readouterr().out

    def texts(self) -> list[str]:
        """What the servers were asked."""
        return [query.text for query in self.session.server_queries]


Start = Callable[..., Stack]


@pytest.fixture
def start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Start:
    def start(*scripts: str) -> Stack:
        (tmp_path / "queries.log").unlink(missing_ok=True)
        services.install(monkeypatch)
        (tmp_path / "waits.py").write_text(WAITS)
        config = CONFIG.format(scripts=", ".join(scripts), folder=tmp_path)
        session = Session(SCRIPT, backends=[server()], read_only=[server()], script_config=config)
        return Stack(scripts, session, tmp_path, capsys)

    return start


# What each script is for, as a client or an operator sees it.


def active_queries(stack: Stack) -> None:
    stack.session.query(SELECT)
    printed = stack.printed()
    assert f'(COM_QUERY) "{SELECT}" (state=started)' in printed
    assert "#active trx: 0" in printed


def active_transactions(stack: Stack) -> None:
    stack.session.query("BEGIN")
    stack.session.query("UPDATE lock")
    printed = stack.printed()
    assert "ERR 1205 (HY000): Lock wait timeout exceeded" in printed
    assert ".1: BEGIN" in printed and ".2: UPDATE lock" in printed


def admin_sql(stack: Stack) -> None:
    assert stack.session.query("RESET1").ok
    # Of a client whose connections change the server is not told the number.
    assert b"\x1a" in [query.packet[:1] for query in stack.session.server_queries]


def analyze_query(stack: Stack) -> None:
    stack.session.query(SELECT)
    counted = stack.session.query("SELECT * FROM histogram.queries").rows
    assert counted is not None
    assert ("SELECT `email` FROM `customers` WHERE `id` = ? ", "1") in [row[:2] for row in counted]


def auditing(stack: Stack) -> None:
    stack.session.query(SELECT)
    stack.session.quit()
    printed = stack.printed()
    for line in ("login: ok", f"query: {SELECT}", "closed"):
        assert f"] {line}\n" in printed


def commit_obfuscator(stack: Stack) -> None:
    stack.session.query("BEGIN")
    error = stack.session.query("COMMIT").error
    assert error is not None and error[0] == 1205
    assert "ROLLBACK" in stack.texts() and "COMMIT" not in stack.texts()


def firewall(stack: Stack) -> None:
    error = stack.session.query("DROP TABLE t").error
    assert error is not None and error[0] == 1227 and "firewall" in error.message
    assert "DROP TABLE t" not in stack.texts()
    assert stack.session.query(SELECT).rows


def histogram(stack: Stack) -> None:
    analyze_query(stack)
    assert stack.session.query("SELECT * FROM histogram.tables").rows == [("customers", "1", "0")]


def login_mapping(stack: Stack) -> None:
    client = stack.session.new_client(user="app", password="front")
    assert client.query(SELECT).rows
    assert any(b"shop_rw\0" in login for fake in stack.session.servers for login in fake.logins)


def masking(stack: Stack) -> None:
    assert stack.session.query(SELECT).rows == [("hidden",)]
    statement = stack.session.prepare(SELECT)
    assert stack.session.execute(statement).rows == [("hidden",)]


def query_log(stack: Stack) -> None:
    stack.session.query(SELECT)
    stack.session.query("UPDATE lock")
    lines = (stack.folder / "queries.log").read_text().splitlines()
    log = {line["query"]: line for line in map(json.loads, lines)}
    assert log[SELECT]["rows"] == 1 and log[SELECT]["duration_ms"] is not None
    assert log["UPDATE lock"]["error"]["errno"] == 1205


def rate_limit(stack: Stack) -> None:
    client = stack.session.new_client(user="slow")
    # What a script in front adds is counted, too.
    answers = [client.query("DO 1") for _ in range(3)]
    assert answers[0].ok
    assert answers[-1].error is not None and answers[-1].error[0] == 1226


def quota(stack: Stack) -> None:
    client = stack.session.new_client(user="metered")
    answers = [client.query("DO 1") for _ in range(3)]
    assert answers[0].ok
    assert answers[-1].error is not None and answers[-1].error[0] == 1226


def http_policy(stack: Stack) -> None:
    sql = f"SELECT '{services.FORBIDDEN}'"
    error = stack.session.query(sql).error
    assert error is not None and error[:2] == (1227, "42000")
    assert sql not in stack.texts()
    assert stack.session.query(STEADY).rows


def result_cache(stack: Stack) -> None:
    for _ in range(2):
        assert stack.session.query(STEADY).rows == [("Ada",)]
    # Where connections change, or a read-only server is asked, nothing is kept.
    is_kept = not set(SPLITTERS).intersection(stack.scripts)
    assert not is_kept or stack.texts().count(STEADY) == 1
    assert stack.session.query("UPDATE shop.t SET name = 'Bob'").ok
    before = stack.texts().count(STEADY)
    assert stack.session.query(STEADY).rows == [("Ada",)]
    assert stack.texts().count(STEADY) == before + 1


def tee(stack: Stack) -> None:
    assert stack.session.query(STEADY).rows == [("Ada",)]
    if set(SPLITTERS).intersection(stack.scripts):
        return

    def different() -> int:
        rows = stack.session.query("SELECT * FROM tee.counters").rows
        assert rows is not None
        return int(dict(rows)["different"])

    deadline = time.monotonic() + 60
    while not different():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def read_your_writes(stack: Stack) -> None:
    fill_pools(stack)
    assert [where(stack, sql) for sql in ("SELECT 1", "UPDATE t SET a = 1", "SELECT 1")] == [
        REPLICA,
        PRIMARY,
        PRIMARY,
    ]


def ro_balance(stack: Stack) -> None:
    fill_pools(stack)
    assert [where(stack, sql) for sql in ("SELECT 1", "UPDATE t SET a = 1", "SELECT 1")] == [
        REPLICA,
        PRIMARY,
        REPLICA,
    ]
    assert stack.texts().count("SHOW SLAVE STATUS") == 1


def ro_pooling(stack: Stack) -> None:
    others = [stack.session.new_client() for _ in range(3)]
    for client in (stack.session, *others):
        client.connect()
    assert [where(stack, "SELECT 1") for _ in range(2)] == [PRIMARY, PRIMARY]
    # Four clients share what the pool has above its minimum.
    assert len(stack.session.servers[PRIMARY].connections) == 2


def rw_splitting(stack: Stack) -> None:
    fill_pools(stack)
    assert [where(stack, sql) for sql in ("SELECT 1", "UPDATE t SET a = 1", "SELECT 1")] == [
        REPLICA,
        PRIMARY,
        REPLICA,
    ]


def xtab(stack: Stack) -> None:
    assert stack.session.query("XTAB staff dept gender COUNT id").error is None
    crossed = "`gender` = 'm', `id`, NULL)) AS `gender_m`"
    assert any(crossed in text for text in stack.texts())
    names = stack.session.query("XTAB VERSION").fields
    assert names is not None and [field.name for field in names] == ["XTAB version"]


def fill_pools(stack: Stack) -> None:
    stack.session.connect()
    stack.session.new_client().connect()


def where(stack: Stack, sql: str) -> int:
    """The backend that ran a statement."""
    answer = stack.session.query(sql)
    assert answer.error is None, answer.error
    return next(
        query for query in reversed(stack.session.server_queries) if query.text == sql
    ).backend


CHECKS: dict[str, Callable[[Stack], None]] = {
    check.__name__: check
    for check in (
        *(active_queries, active_transactions, admin_sql, analyze_query, auditing),
        *(commit_obfuscator, firewall, histogram, http_policy, login_mapping, masking, query_log),
        *(quota, rate_limit, read_your_writes, result_cache, ro_balance, ro_pooling, rw_splitting),
        *(tee, xtab),
    )
}
SPLITTERS = ("read_your_writes", "ro_balance", "ro_pooling", "rw_splitting")
REFUSED = {
    **{
        frozenset(pair): "both choose the backends of clients"
        for pair in itertools.combinations(SPLITTERS, 2)
    },
    **{
        frozenset((splitter, "login_mapping")): "both decide as which user"
        for splitter in SPLITTERS
    },
    frozenset(("histogram", "analyze_query")): "both answer SELECT [*] FROM histogram.queries",
}
REFUSED_IN_THIS_ORDER = {
    ("masking", other): f"{other} makes rows of results that masking has to see before"
    for other in ("xtab", "admin_sql")
}


def reason(pair: tuple[str, str]) -> str | None:
    return REFUSED.get(frozenset(pair)) or REFUSED_IN_THIS_ORDER.get(pair)


def test_every_ready_made_script_has_a_check() -> None:
    (folder,) = pyproxy.hooks.__path__
    names = {path.stem for path in Path(folder).glob("*.py")}
    assert names - {"__init__", "load_multi"} == set(CHECKS)


PAIRS = list(itertools.permutations(CHECKS, 2))


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if reason(pair)], ids=" ".join)
def test_what_does_not_fit_is_refused(start: Start, pair: tuple[str, str]) -> None:
    expected = f"^{pair[0]} and {pair[1]} cannot be stacked: {reason(pair)}"
    with pytest.raises(Exception, match=expected):
        start(*pair).session.close()


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if not reason(pair)], ids=" ".join)
def test_both_do_what_they_are_for(start: Start, pair: tuple[str, str]) -> None:
    for name in pair:
        stack = start(*pair)
        with stack.session as session:
            CHECKS[name](stack)
            assert [entry for entry in session.log if entry.level == "critical"] == []


MASKED = [pair for pair in PAIRS if "masking" in pair and not reason(pair)]
IN_EACH_PLACE = [
    (*pair[:place], "waits", *pair[place:]) for pair in MASKED for place in range(len(pair) + 1)
]


@pytest.mark.parametrize("scripts", IN_EACH_PLACE, ids=" ".join)
def test_with_masking_and_one_that_waits(start: Start, scripts: tuple[str, ...]) -> None:
    for name in scripts:
        if name != "waits":
            stack = start(*scripts)
            with stack.session as session:
                CHECKS[name](stack)
                assert [entry for entry in session.log if entry.level == "critical"] == []
