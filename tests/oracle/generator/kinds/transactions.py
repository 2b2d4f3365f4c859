"""Transactions in their forms, from BEGIN to what comes behind them."""

from __future__ import annotations

from ..maker import Burst, Kind, Maker
from ..steps import Step
from . import reads, writes

__all__ = ["KINDS"]

_BEGINS = (
    "BEGIN",
    "BEGIN WORK",
    "START TRANSACTION",
    "START TRANSACTION READ WRITE",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT",
)
_READ_ONLY = (
    "START TRANSACTION READ ONLY",
    "START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
# Behind the last two a new one has begun, or the connection has ended.
_ENDS = (
    ("COMMIT", "end"),
    ("COMMIT", "end"),
    ("ROLLBACK", "end"),
    ("ROLLBACK WORK", "end"),
    ("COMMIT AND NO CHAIN", "end"),
    ("COMMIT AND CHAIN", "begin"),
    ("ROLLBACK AND CHAIN", "begin"),
    ("COMMIT RELEASE", "forget"),
)


def _end(make: Maker) -> list[Step]:
    sql, effect = make.choose.choice(_ENDS)
    steps = [make.query(sql, effect=effect, tags="quits" if effect == "forget" else "")]
    if effect == "begin":
        steps += [_inside(make), make.query("ROLLBACK", effect="end")]
    return steps


def _inside(make: Maker) -> Step:
    if make.chance(0.5):
        sql, tables = reads.plain(make)
        return make.query(sql, reads=tables)
    sql, tables = writes.plain(make)
    return make.query(sql, writes=tables)


def _whole(make: Maker) -> Burst:
    steps = [make.query(make.choose.choice(_BEGINS), effect="begin")]
    steps += [_inside(make) for _ in range(make.number(1, 3))]
    if make.chance(0.3):
        steps.append(make.query("SAVEPOINT sp1"))
        steps.append(_inside(make))
        steps.append(make.query(make.one_of("ROLLBACK TO sp1", "RELEASE SAVEPOINT sp1")))
    if make.chance(0.15):
        steps.append(make.query("SELECT * FROM o1.no_such"))
    if make.chance(0.8):
        steps += _end(make)
    return make.burst(*steps)


def _read_only(make: Maker) -> Burst:
    steps = [make.query(make.choose.choice(_READ_ONLY), effect="begin")]
    for _ in range(make.number(1, 3)):
        sql, tables = reads.plain(make)
        steps.append(make.query(sql, reads=tables))
    if make.chance(0.4):
        sql, tables = writes.plain(make)
        steps.append(make.query(sql, reads=tables))
    if make.chance(0.2):
        steps.append(make.query("SELECT o1.f_write(1)"))
    steps += _end(make)
    return make.burst(*steps)


def _autocommit(make: Maker) -> Burst:
    off = make.one_of("SET autocommit = 0", "SET @@autocommit = OFF", "SET SESSION autocommit = 0")
    steps = [make.query(off, effect="autocommit:0")]
    steps += [_inside(make) for _ in range(make.number(1, 3))]
    if make.chance(0.5):
        steps.append(make.query(make.one_of("COMMIT", "ROLLBACK"), effect="end"))
    if make.chance(0.85):
        on = make.one_of("SET autocommit = 1", "SET autocommit = ON", "SET @@session.autocommit=1")
        steps.append(make.query(on, effect="autocommit:1"))
    return make.burst(*steps)


def _characteristics(make: Maker) -> Burst:
    """They hold for the next transaction only."""
    what = make.one_of(
        "ISOLATION LEVEL READ COMMITTED", "READ ONLY", "ISOLATION LEVEL SERIALIZABLE"
    )
    steps = [make.query(f"SET TRANSACTION {what}", effect="serializable" if "SER" in what else "")]
    if make.chance(0.3):
        steps.append(make.query(make.one_of("SELECT 1", "DO 0", "SELECT no_such")))
    sql, tables = writes.plain(make)
    steps += [make.query("BEGIN", effect="begin"), make.query(sql, writes=tables)]
    return make.burst(*steps, *_end(make))


def _implicit_commit(make: Maker) -> Burst:
    sql, tables = writes.plain(make)
    name = make.name("o1.implicit")
    return make.burst(
        make.query("BEGIN", effect="begin"),
        make.query(sql, writes=tables),
        make.query(f"CREATE TABLE {name} (a INT PRIMARY KEY)", is_ddl=True, tags="ddl"),
        make.query("ROLLBACK", effect="end"),
    )


def _xa(make: Maker) -> Burst:
    name = f"'{make.name('x')}'"
    sql, tables = writes.plain(make)
    steps = [
        make.query(f"XA START {name}", effect="begin"),
        make.query(sql, writes=tables),
        make.query(f"XA END {name}"),
    ]
    if make.chance(0.4):
        steps.append(
            make.query(f"XA {make.one_of('COMMIT', 'COMMIT')} {name} ONE PHASE", effect="end")
        )
        return make.together(steps)
    steps.append(make.query(f"XA PREPARE {name}"))
    if make.chance(0.5):
        steps.append(make.query(make.one_of("SELECT 1", "SELECT a FROM o1.t1 WHERE id = 1")))
    steps.append(make.query(f"XA {make.one_of('COMMIT', 'ROLLBACK')} {name}", effect="end"))
    return make.together(steps)


def _alone(make: Maker) -> Step:
    """What ends, in a client that may have nothing to end."""
    sql, effect = make.choose.choice(_ENDS[:5] + (("COMMIT AND CHAIN", "begin"),))
    return make.query(sql, effect=effect)


def _savepoint_alone(make: Maker) -> Step:
    return make.query(make.one_of("SAVEPOINT sp2", "ROLLBACK TO sp2", "RELEASE SAVEPOINT sp9"))


KINDS = (
    Kind("transaction", 6, _whole),
    Kind("read-only transaction", 4, _read_only),
    Kind("autocommit = 0", 2.5, _autocommit),
    Kind("SET TRANSACTION", 1.5, _characteristics),
    Kind("implicit commit", 1, _implicit_commit),
    Kind("XA", 1, _xa),
    Kind("COMMIT or ROLLBACK alone", 3, _alone),
    Kind("savepoint alone", 0.5, _savepoint_alone),
)
